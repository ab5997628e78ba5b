//! Composition root: connects the use cases to their adapters.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use time_series_api::{Admins, AllowedHosts, ReadSources, Reads, Settings, UseCases};
use time_series_domain::Clock;
use time_series_domain::catalogue::{CatalogueCache, MetricTypes};
use time_series_domain::ports::{AnswerCache, MetricTypeStore, SecretStore, SessionStore};
use time_series_domain::query::points::ReadPoints;
use time_series_domain::query::{Aggregate, CachedAggregate, QueryMemory};
use time_series_domain::session::{IngestSession, StoredSessions};
use time_series_infra::AuthenticatedCache;
use time_series_infra::local::{FixedSecret, MokaCache, SystemClock};
use time_series_infra::postgres::{
    PgMetricTypeStore, PgSessionStore, Postgres, PostgresConfig, ServerRole, WithReplica,
};
use time_series_infra::redis::RedisCache;

use crate::config::{CacheConfig, Config, ConfigError};
use crate::heartbeat::Database;

/// Maximum bytes of sessions in the write queue.
const MAX_QUEUED_BYTES: usize = 64 << 20;

/// Creates the use cases with the adapters that the settings select.
pub(crate) fn wire(config: &Config) -> Result<UseCases, ConfigError> {
    let postgres_config = |url: &SecretString, role| PostgresConfig {
        url: url.expose_secret().to_owned(),
        connections: config.database.connections,
        role,
        wait: config.database.acquire_timeout,
        statement_timeout: config.database.statement_timeout,
        max_write_wait: config.writes.max_wait,
        max_queued_bytes: config.limits.bytes_in_flight.min(MAX_QUEUED_BYTES),
    };
    let primary = Postgres::new(&postgres_config(&config.database.url, ServerRole::Primary));
    let postgres = Arc::new(primary.map_err(|e| ConfigError::new("DATABASE_URL", e))?);
    let replica = match &config.database.read_url {
        Some(url) => {
            let replica = Postgres::new(&postgres_config(url, ServerRole::Replica));
            Some(Arc::new(
                replica.map_err(|e| ConfigError::new("DATABASE_READ_URL", e))?,
            ))
        }
        None => None,
    };
    let stores = Stores::new(&postgres, replica.as_ref());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let catalogue = Arc::new(CatalogueCache::default());
    let rules = config.limits.times;
    let limits = config.limits.queries();
    let secrets = secrets(config, stores.secrets.clone());
    let query_memory = QueryMemory::new(config.limits.answer_bytes);
    let cache = cache(&config.cache, &secrets)?;
    let reads = |name, database: &Arc<Postgres>, catalogue: &Arc<CatalogueCache>| {
        let (store, catalogue, clock) = (database.clone(), catalogue.clone(), clock.clone());
        let types = Arc::new(PgMetricTypeStore::new(database.as_ref().clone()));
        let points = ReadPoints::new(
            store.clone(),
            types.clone(),
            catalogue.clone(),
            clock.clone(),
            rules,
            limits,
        );
        let aggregate = Aggregate::new(
            store,
            types,
            catalogue,
            clock,
            rules,
            limits,
            query_memory.clone(),
        );
        Arc::new(Reads {
            aggregate: CachedAggregate::new(aggregate, cache.clone(), config.cache.min_cost),
            points,
            name,
        })
    };
    let reads = ReadSources {
        primary: reads("primary", &postgres, &catalogue),
        // The metric types of a replica can lag as well, so that it needs its own catalogue.
        replica: replica.as_ref().map(|replica| {
            (
                reads("replica", replica, &Arc::default()),
                config.database.replica_reads,
            )
        }),
    };
    Ok(UseCases {
        ingest: IngestSession::new(
            stores.primary_sessions.clone(),
            stores.primary_metric_types,
            catalogue.clone(),
            clock.clone(),
            rules,
        ),
        sessions: StoredSessions::new(stores.sessions),
        metric_types: MetricTypes::new(stores.metric_types, catalogue),
        reads,
        query_memory,
        clock,
        secrets,
        readiness: Database::start(postgres, replica, stores.primary_sessions),
    })
}

/// Returns the settings of the REST API.
pub(crate) fn settings(config: &Config) -> Settings {
    Settings {
        workers: config.http.workers,
        shutdown: config.http.shutdown,
        net: config.http.net.settings(),
        hosts: hosts(config),
        admins: admins(config),
        body_bytes: config.limits.body_bytes,
        bytes_in_flight: config.limits.bytes_in_flight,
        max_write_wait: config.writes.max_wait,
        write_timeout: config.writes.timeout,
        query_concurrency: config.queries.concurrency,
        query_wait: config.database.acquire_timeout,
        query_timeout: config.queries.timeout,
        limits: config.limits.queries(),
        rules: config.limits.times,
    }
}

/// Returns the store of the secret in the settings, else of the secret in the database.
fn secrets(config: &Config, stored: Arc<dyn SecretStore>) -> Arc<dyn SecretStore> {
    match &config.secrets.key {
        Some(key) => Arc::new(FixedSecret::new(key.expose_secret())),
        None => stored,
    }
}

/// The stores. Their reads go to a replica while the primary is unreachable.
struct Stores {
    sessions: Arc<dyn SessionStore>,
    /// Metric types of the primary, for ingest.
    primary_metric_types: Arc<dyn MetricTypeStore>,
    metric_types: Arc<dyn MetricTypeStore>,
    secrets: Arc<dyn SecretStore>,
    /// Sessions of the primary, for ingest and the size of the write queue.
    primary_sessions: Arc<PgSessionStore>,
}

impl Stores {
    fn new(primary: &Arc<Postgres>, replica: Option<&Arc<Postgres>>) -> Self {
        let primary_sessions = Arc::new(PgSessionStore::new(primary.as_ref().clone()));
        let primary_types = Arc::new(PgMetricTypeStore::new(primary.as_ref().clone()));
        let mut stores = Self {
            sessions: primary_sessions.clone(),
            primary_metric_types: primary_types.clone(),
            metric_types: primary_types.clone(),
            secrets: primary.clone(),
            primary_sessions: primary_sessions.clone(),
        };
        if let Some(replica) = replica {
            let sessions = Arc::new(PgSessionStore::new(replica.as_ref().clone()));
            let types = Arc::new(PgMetricTypeStore::new(replica.as_ref().clone()));
            stores.sessions = Arc::new(WithReplica::new(primary_sessions, sessions));
            stores.metric_types = Arc::new(WithReplica::new(primary_types, types));
            stores.secrets = Arc::new(WithReplica::new(primary.clone(), replica.clone()));
        }
        stores
    }
}

fn cache(
    config: &CacheConfig,
    secrets: &Arc<dyn SecretStore>,
) -> Result<Option<Arc<dyn AnswerCache>>, ConfigError> {
    if !config.enabled {
        return Ok(None);
    }
    Ok(Some(match &config.redis_url {
        Some(url) => {
            let redis = RedisCache::new(url.expose_secret(), config.redis_timeout);
            let redis = redis.map_err(|e| ConfigError::new("REDIS_URL", e))?;
            // Entries in Redis are authenticated because other clients can write to it.
            Arc::new(AuthenticatedCache::new(redis, secrets.clone()))
        }
        None => Arc::new(MokaCache::new(config.max_bytes)),
    }))
}

fn hosts(config: &Config) -> AllowedHosts {
    match &config.http.allowed_hosts {
        Some(names) if names.iter().any(|name| name == "*") => AllowedHosts::All,
        Some(names) => AllowedHosts::Listed(names.clone()),
        None if config.http.bind.ip().is_loopback() => AllowedHosts::loopback(),
        None => AllowedHosts::All,
    }
}

fn admins(config: &Config) -> Admins {
    match &config.admin.token {
        Some(token) => Admins::Token(token.clone()),
        None if config.http.bind.ip().is_loopback() => Admins::Local,
        None => Admins::Nobody(config.http.bind),
    }
}
