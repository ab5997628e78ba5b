//! The composition root: the only file that names the adapters.

use std::sync::Arc;

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::ExposeSecret;
use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher};
use time_series_domain::ingest::IngestSession;
use time_series_domain::metric_type::{CatalogueCache, MetricTypes};
use time_series_domain::ports::{AnswerCache, SecretStore};
use time_series_domain::query::points::ReadPoints;
use time_series_domain::query::{Aggregate, CachedAggregate, QueryLimits};
use time_series_domain::{Clock, TimeRules};
use time_series_infra::AuthenticatedCache;
use time_series_infra::local::{FixedSecret, MokaCache, SystemClock};
use time_series_infra::postgres::{MigrateError, Postgres, PostgresConfig};
use time_series_infra::redis::RedisCache;

use crate::config::{CacheConfig, Config, ConfigError};
use crate::request::{Cursors, Intake, QueryGate};
use crate::state::{Admins, AppState, NotReady, Readiness};

/// Version of the rendering. Raise it whenever the same answer is rendered differently, so that tags and cached answers
/// of earlier releases are not used.
const RENDERING: u32 = 1;

/// Puts the service together.
pub(crate) fn wire(config: &Config, metrics: PrometheusHandle) -> Result<AppState, ConfigError> {
    let postgres = Postgres::new(&PostgresConfig {
        url: config.database.exposed_url().to_owned(),
        connections: config.database.connections,
        wait: config.database.wait,
        statement_timeout: config.database.statement_timeout,
    });
    let postgres = Arc::new(postgres.map_err(|e| ConfigError::new("DATABASE_URL", e))?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let catalogue = Arc::new(CatalogueCache::default());
    let rules = config.limits.times;
    let limits = config.limits.queries();
    let secrets = secrets(config, &postgres);
    let aggregate = Aggregate::new(postgres.clone(), postgres.clone(), catalogue.clone(), clock.clone(), rules, limits);
    let points = ReadPoints::new(postgres.clone(), postgres.clone(), catalogue.clone(), clock.clone(), rules, limits);
    Ok(AppState {
        points,
        max_values: limits.bucket_values.saturating_mul(4),
        ingest: IngestSession::new(postgres.clone(), postgres.clone(), catalogue.clone(), clock.clone(), rules),
        aggregate: CachedAggregate::new(aggregate, cache(&config.cache, &secrets)?, config.cache.worth),
        queries: QueryGate::new(config.queries.concurrency, config.database.wait, config.queries.timeout),
        metric_types: MetricTypes::new(postgres.clone(), catalogue),
        sessions: postgres.clone(),
        clock,
        readiness: Arc::new(Database(postgres)),
        admins: admins(config),
        cursors: Cursors::new(secrets),
        max_body_bytes: config.limits.body_bytes,
        intake: Intake::new(config.limits.bytes_in_flight / 2),
        bulk_intake: Intake::new(config.limits.bytes_in_flight / 2),
        edition: edition(&limits, &rules),
        metrics,
    })
}

/// Returns the secret from the settings, else the one in the database.
fn secrets(config: &Config, postgres: &Arc<Postgres>) -> Arc<dyn SecretStore> {
    match &config.secrets.key {
        Some(key) => Arc::new(FixedSecret::new(key.expose_secret())),
        None => postgres.clone(),
    }
}

/// Returns the fingerprint of what answers depend on besides query and data.
fn edition(limits: &QueryLimits, rules: &TimeRules) -> Fingerprint {
    let mut hasher = FingerprintHasher::new("edition");
    hasher
        .field("release", env!("CARGO_PKG_VERSION"))
        .field("rendering", &RENDERING)
        .field("limits", limits)
        .field("rules", rules);
    hasher.finish()
}

fn cache(config: &CacheConfig, secrets: &Arc<dyn SecretStore>) -> Result<Option<Arc<dyn AnswerCache>>, ConfigError> {
    if !config.enabled {
        return Ok(None);
    }
    Ok(Some(match &config.redis_url {
        Some(url) => {
            let redis = RedisCache::new(url.expose_secret(), config.redis_wait);
            let redis = redis.map_err(|e| ConfigError::new("REDIS_URL", e))?;
            // Others can write to Redis; nobody but this process to its own memory.
            Arc::new(AuthenticatedCache::new(redis, secrets.clone()))
        }
        None => Arc::new(MokaCache::new(config.max_bytes)),
    }))
}

fn admins(config: &Config) -> Admins {
    match &config.admin.token {
        Some(token) => Admins::Token(token.clone()),
        None if config.http.bind.ip().is_loopback() => Admins::Local,
        None => Admins::Nobody(config.http.bind),
    }
}

/// Ready is: the database answers and has our tables.
struct Database(Arc<Postgres>);

#[async_trait]
impl Readiness for Database {
    async fn check(&self) -> Result<(), NotReady> {
        self.0.check_schema().await.map_err(|e| {
            tracing::warn!(error = %e, cause = ?std::error::Error::source(&e), "not ready");
            match e {
                MigrateError::Behind { .. } => NotReady::Behind,
                _ => NotReady::Unreachable,
            }
        })
    }
}
