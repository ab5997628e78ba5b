//! The composition root: the only file that names the adapters.

use std::sync::Arc;

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::ExposeSecret;
use time_series_domain::Clock;
use time_series_domain::ingest::IngestSession;
use time_series_domain::metric_type::{CatalogueCache, MetricTypes};
use time_series_domain::ports::AnswerCache;
use time_series_domain::query::points::ReadPoints;
use time_series_domain::query::{Aggregate, CachedAggregate};
use time_series_infra::local::{MokaCache, SystemClock};
use time_series_infra::postgres::{MigrateError, Postgres, PostgresConfig};
use time_series_infra::redis::RedisCache;

use crate::config::{CacheConfig, Config, ConfigError};
use crate::request::{CursorKey, Intake, QueryGate};
use crate::state::{Admins, AppState, NotReady, Readiness};

/// Raised when the same answer comes to look otherwise, so that nobody is told that it is as it was.
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
    let aggregate = Aggregate::new(postgres.clone(), postgres.clone(), catalogue.clone(), clock.clone(), rules, limits);
    let points = ReadPoints::new(postgres.clone(), postgres.clone(), catalogue.clone(), clock.clone(), rules, limits);
    Ok(AppState {
        points,
        max_values: limits.bucket_values.saturating_mul(4),
        ingest: IngestSession::new(postgres.clone(), postgres.clone(), catalogue.clone(), clock.clone(), rules),
        aggregate: CachedAggregate::new(aggregate, cache(&config.cache)?, config.cache.worth),
        queries: QueryGate::new(config.queries.concurrency, config.database.wait, config.queries.timeout),
        metric_types: MetricTypes::new(postgres.clone(), catalogue),
        sessions: postgres.clone(),
        clock,
        readiness: Arc::new(Database(postgres)),
        admins: admins(config),
        cursors: CursorKey::derive(config.database.exposed_url()),
        max_body_bytes: config.limits.body_bytes,
        intake: Intake::new(config.limits.bytes_in_flight / 2),
        bulk_intake: Intake::new(config.limits.bytes_in_flight / 2),
        edition: format!("{} {RENDERING} {limits:?}", env!("CARGO_PKG_VERSION")),
        metrics,
    })
}

fn cache(config: &CacheConfig) -> Result<Option<Arc<dyn AnswerCache>>, ConfigError> {
    if !config.enabled {
        return Ok(None);
    }
    Ok(Some(match &config.redis_url {
        Some(url) => {
            let redis = RedisCache::new(url.expose_secret(), config.redis_wait);
            Arc::new(redis.map_err(|e| ConfigError::new("REDIS_URL", e))?)
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
