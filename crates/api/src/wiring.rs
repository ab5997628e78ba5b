//! The composition root: the only file that names the adapters.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::{ExposeSecret, SecretString};
use time_series_domain::catalogue::{CatalogueCache, MetricTypes};
use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher};
use time_series_domain::ingest::IngestSession;
use time_series_domain::ports::{AnswerCache, MetricTypeStore, SecretStore, SessionStore};
use time_series_domain::query::points::ReadPoints;
use time_series_domain::query::{Aggregate, CachedAggregate, QueryLimits, QueryMemory};
use time_series_domain::{Clock, TimeRules};
use time_series_infra::AuthenticatedCache;
use time_series_infra::local::{FixedSecret, MokaCache, SystemClock};
use time_series_infra::postgres::{
    MigrateError, PoolUsage, Postgres, PostgresConfig, PostgresUsage, ServerRole, WithReplica,
};
use time_series_infra::redis::RedisCache;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, timeout};

use crate::config::{CacheConfig, Config, ConfigError};
use crate::reads::{ReadSources, Reads};
use crate::request::{
    AllowedHosts, BodyBudget, BulkBudget, Cursors, LogUsers, QueryGate, QueryTimes,
};
use crate::state::{Admins, AppState, DatabaseUsage, Heartbeat, NotReady, Readiness};
use crate::work::{CpuThreads, QueryRuntime};

/// Version of the rendering. Raise it whenever the same answer is rendered differently, so that tags and cached answers
/// of earlier releases are not used.
const RENDERING: u32 = 1;

/// Maximum threads that queries run on.
const MOST_QUERY_THREADS: usize = 32;
/// Maximum bytes of sessions that wait to be stored.
const MOST_WAITING_BYTES: usize = 64 << 20;
/// The interval of heartbeats, and the longest time that each may take.
const HEARTBEAT: Duration = Duration::from_secs(1);
const READ_PATIENCE: Duration = Duration::from_millis(800);
const COMMIT_PATIENCE: Duration = Duration::from_secs(3);
/// The longest time that the start waits for the database.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// Puts the service together.
pub(crate) fn wire(config: &Config, metrics: PrometheusHandle) -> Result<AppState, ConfigError> {
    let threads = |e: std::io::Error| ConfigError::new("WORKERS", format!("cannot be served: {e}"));
    let runtime =
        QueryRuntime::new(config.queries.concurrency.min(MOST_QUERY_THREADS)).map_err(threads)?;
    let cpu =
        CpuThreads::start(config.http.workers, config.writes.longest_wait).map_err(threads)?;
    let settings = |url: &SecretString, role| PostgresConfig {
        url: url.expose_secret().to_owned(),
        connections: config.database.connections,
        role,
        wait: config.database.wait,
        statement_timeout: config.database.statement_timeout,
        longest_write_wait: config.writes.longest_wait,
        waiting_bytes: config.limits.bytes_in_flight.min(MOST_WAITING_BYTES),
    };
    let primary = Postgres::new(&settings(&config.database.url, ServerRole::Primary));
    let postgres = Arc::new(primary.map_err(|e| ConfigError::new("DATABASE_URL", e))?);
    let replica = match &config.database.read_url {
        Some(url) => {
            let replica = Postgres::new(&settings(url, ServerRole::Replica));
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
        let points = ReadPoints::new(
            store.clone(),
            store.clone(),
            catalogue.clone(),
            clock.clone(),
            rules,
            limits,
        );
        let aggregate = Aggregate::new(
            store.clone(),
            store,
            catalogue,
            clock,
            rules,
            limits,
            query_memory.clone(),
        );
        Arc::new(Reads {
            aggregate: CachedAggregate::new(aggregate, cache.clone(), config.cache.worth),
            points,
            name,
        })
    };
    let reads = ReadSources {
        primary: reads("primary", &postgres, &catalogue),
        // A replica may be behind with metric types as well, so it has a catalogue of its own.
        replica: replica.as_ref().map(|replica| {
            (
                reads("replica", replica, &Arc::default()),
                config.database.replica_reads,
            )
        }),
    };
    Ok(AppState {
        reads,
        max_values: limits.bucket_values.saturating_mul(4),
        query_memory,
        ingest: IngestSession::new(
            postgres.clone(),
            postgres.clone(),
            catalogue.clone(),
            clock.clone(),
            rules,
        ),
        queries: QueryGate::new(
            config.queries.concurrency,
            runtime,
            QueryTimes {
                wait: config.database.wait,
                longest: config.queries.timeout,
            },
        ),
        metric_types: MetricTypes::new(stores.metric_types, catalogue),
        sessions: stores.sessions,
        clock,
        readiness: Database::start(postgres, replica),
        admins: admins(config),
        log_users: LogUsers::new(secrets.clone()),
        cursors: Cursors::new(secrets),
        max_body_bytes: config.limits.body_bytes,
        bodies: BodyBudget::new(config.limits.bytes_in_flight / 2),
        bulk_budget: BulkBudget::new(config.limits.bytes_in_flight / 2),
        pace: config.http.net.pace(),
        proxies: config.http.net.trusted_proxies.clone(),
        hosts: hosts(config),
        cpu,
        write_timeout: config.writes.timeout,
        edition: edition(&limits, &rules),
        metrics,
    })
}

/// Returns the secret from the settings, else the one in the database.
fn secrets(config: &Config, stored: Arc<dyn SecretStore>) -> Arc<dyn SecretStore> {
    match &config.secrets.key {
        Some(key) => Arc::new(FixedSecret::new(key.expose_secret())),
        None => stored,
    }
}

/// The stores whose reads go to a replica while the primary cannot be reached.
struct Stores {
    sessions: Arc<dyn SessionStore>,
    metric_types: Arc<dyn MetricTypeStore>,
    secrets: Arc<dyn SecretStore>,
}

impl Stores {
    fn new(primary: &Arc<Postgres>, replica: Option<&Arc<Postgres>>) -> Self {
        match replica {
            Some(replica) => {
                let both = Arc::new(WithReplica::new(primary.clone(), replica.clone()));
                Self {
                    sessions: both.clone(),
                    metric_types: both.clone(),
                    secrets: both,
                }
            }
            None => Self {
                sessions: primary.clone(),
                metric_types: primary.clone(),
                secrets: primary.clone(),
            },
        }
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

fn cache(
    config: &CacheConfig,
    secrets: &Arc<dyn SecretStore>,
) -> Result<Option<Arc<dyn AnswerCache>>, ConfigError> {
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

/// Ready is: the database answers and has our tables.
struct Database {
    postgres: Arc<Postgres>,
    reads: watch::Receiver<Result<(), NotReady>>,
    /// The lag of the replica in seconds; an error while its reads fail.
    replica: Option<watch::Receiver<Result<Option<f64>, NotReady>>>,
    writes: watch::Receiver<Result<(), NotReady>>,
}

impl Database {
    /// Begins the heartbeats: one of reads and one of commits, so that neither waits for the other. They end with this.
    fn start(postgres: Arc<Postgres>, replica: Option<Arc<Postgres>>) -> Arc<dyn Readiness> {
        let (tell_reads, reads) = watch::channel(Err(NotReady::Unreachable));
        let (tell_writes, writes) = watch::channel(Err(NotReady::NoCommit));
        let beating = postgres.clone();
        actix_web::rt::spawn(async move {
            let mut interval = tokio::time::interval(HEARTBEAT);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !tell_reads.is_closed() {
                interval.tick().await;
                let read = timeout(READ_PATIENCE, beating.heartbeat_read()).await;
                let _ = tell_reads.send_replace(read.map_or(Err(NotReady::Unreachable), |read| {
                    read.map_err(|e| not_ready(&e))
                }));
            }
        });
        let beating = postgres.clone();
        actix_web::rt::spawn(async move {
            let mut interval = tokio::time::interval(HEARTBEAT);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !tell_writes.is_closed() {
                interval.tick().await;
                let beat = async {
                    beating.keep_connections().await?;
                    beating.heartbeat_commit().await
                };
                let committed = timeout(COMMIT_PATIENCE, beat).await.is_ok_and(|committed| {
                    committed
                        .inspect_err(|e| tracing::debug!(error = %e, "no heartbeat"))
                        .is_ok()
                });
                let _ = tell_writes.send_replace(if committed {
                    Ok(())
                } else {
                    Err(NotReady::NoCommit)
                });
            }
        });
        Arc::new(Self {
            postgres,
            reads,
            replica: replica.map(watch_replica),
            writes,
        })
    }
}

#[async_trait]
impl Readiness for Database {
    async fn check(&self) -> Result<(), NotReady> {
        let checked = timeout(START_PATIENCE, self.postgres.check_schema()).await;
        checked.map_or(Err(NotReady::Unreachable), |checked| {
            checked.map_err(|e| not_ready(&e))
        })?;
        match self.postgres.fit_connections().await {
            Ok(found) if found.allowed.saturating_sub(found.others) < found.wanted => {
                tracing::warn!(
                    allowed = found.allowed,
                    others = found.others,
                    wanted = found.wanted,
                    "the server allows fewer connections than DATABASE_CONNECTIONS asks for; fewer queries will run at a time"
                )
            }
            Ok(_) => {}
            Err(e) => tracing::warn!(error = %e, "the server's limit on connections is not known"),
        }
        Ok(())
    }

    fn usage(&self) -> DatabaseUsage {
        let PostgresUsage {
            pools,
            queued_bytes,
        } = self.postgres.usage();
        let states = |pool: PoolUsage| {
            [
                ("most", pool.most),
                ("open", pool.open),
                ("idle", pool.idle),
                ("waiting", pool.waiting),
            ]
        };
        let replica_lag = self
            .replica
            .as_ref()
            .and_then(|told| told.borrow().ok().flatten());
        DatabaseUsage {
            replica_lag,
            pools: pools
                .into_iter()
                .map(|pool| (pool.name, states(pool)))
                .collect(),
            queued_bytes,
        }
    }

    fn last(&self) -> Heartbeat {
        let primary = *self.reads.borrow();
        let replica = self
            .replica
            .as_ref()
            .map_or(primary, |told| told.borrow().map(|_| ()));
        Heartbeat {
            reads: primary.or(replica),
            primary,
            writes: *self.writes.borrow(),
        }
    }
}

/// Begins the heartbeat of a replica; it ends when nobody looks at it.
fn watch_replica(replica: Arc<Postgres>) -> watch::Receiver<Result<Option<f64>, NotReady>> {
    let (teller, told) = watch::channel(Err(NotReady::Unreachable));
    actix_web::rt::spawn(async move {
        let mut interval = tokio::time::interval(HEARTBEAT);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !teller.is_closed() {
            interval.tick().await;
            let beat = async {
                replica.heartbeat_read().await.map_err(|e| not_ready(&e))?;
                replica
                    .replica_lag()
                    .await
                    .map_err(|_| NotReady::Unreachable)
            };
            let _ = teller.send_replace(
                timeout(READ_PATIENCE, beat)
                    .await
                    .unwrap_or(Err(NotReady::Unreachable)),
            );
        }
    });
    told
}

fn not_ready(e: &MigrateError) -> NotReady {
    tracing::debug!(error = %e, "not ready");
    match e {
        MigrateError::Behind { .. } => NotReady::Behind,
        MigrateError::NoDatabase => NotReady::NoDatabase,
        MigrateError::RoleRefused => NotReady::RoleRefused,
        _ => NotReady::Unreachable,
    }
}
