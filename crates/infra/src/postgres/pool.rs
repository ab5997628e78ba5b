//! Connection pools, their configuration and use.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolConfig, RecyclingMethod, Runtime, Timeouts,
};
use time_series_domain::RootSecret;
use time_series_domain::ports::StoreError;
use tokio::sync::OnceCell;
use tokio_postgres::config::{LoadBalanceHosts, SslMode, TargetSessionAttrs};

use super::chunks::Chunks;
use super::connect::OwnThreads;
use super::error::{PgError, from_pool};
use super::ingest::WORKERS;
use super::migrate::{self, MigrateError};

/// Plan settings of readers. Generic plans of our array queries are up to 70 times slower.
const READERS_PLANS: &str = "-c plan_cache_mode=force_custom_plan";
/// Plan settings of the workers. They look up rows by key at any table size, so that one plan
/// serves all executions.
const WRITERS_PLANS: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off \
                             -c enable_hashjoin=off -c enable_mergejoin=off";

/// Maximum statements of a batch that run up to the statement timeout, one after the other. As many
/// again for each session of the batch that is appended to or replaced.
const BATCH_STATEMENTS: u32 = 4;

/// The name of our connections in `pg_stat_activity`.
pub(super) const APPLICATION_NAME: &str = "time-series-api";

/// Configuration of the connections to PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// `postgresql://user:password@host:port/database`, or the driver's key=value form.
    pub url: String,
    /// Maximum connections of readers.
    pub connections: usize,
    /// Maximum wait for a connection or a lock.
    pub wait: Duration,
    /// Maximum time of a statement.
    pub statement_timeout: Duration,
    /// Maximum expected wait of a write in the queue, by the measured rate. A write that would wait
    /// longer is rejected.
    pub max_write_wait: Duration,
    /// Maximum bytes of the sessions that wait to be stored.
    pub max_queued_bytes: usize,
    /// The role of the servers.
    pub role: ServerRole,
}

/// The role of the servers of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerRole {
    /// Reads and writes. Of several servers, the one that accepts writes is used.
    Primary,
    /// Reads. Of several servers, any is used.
    Replica,
}

/// Error of an invalid URL of a database.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PostgresUrlError(String);

/// Current use of the connection pools.
#[derive(Debug, Clone, Copy)]
pub struct PostgresUsage {
    /// Use by pool.
    pub pools: [PoolUsage; 3],
}

/// Current use of a connection pool.
#[derive(Debug, Clone, Copy)]
pub struct PoolUsage {
    /// Purpose of the connections.
    pub name: &'static str,
    /// Maximum connections.
    pub most: usize,
    /// Open connections.
    pub open: usize,
    /// Open connections that are not in use.
    pub idle: usize,
    /// Requests that wait for a connection.
    pub waiting: usize,
}

/// The connection pools to PostgreSQL. Clones share them.
#[derive(Clone)]
pub struct Postgres {
    pub(super) pool: Pool,
    /// Connections of the workers.
    pub(super) writers: Pool,
    /// The connection of the heartbeat, which must not wait for other requests.
    pub(super) heartbeat: Pool,
    /// Holds `None` if `block` is a plain table.
    chunks: Arc<OnceCell<Option<Chunks>>>,
    pub(super) secret: Arc<OnceCell<Arc<RootSecret>>>,
    /// Maximum wait for a connection or a lock.
    pub(super) wait: Duration,
    pub(super) max_write_wait: Duration,
    pub(super) max_queued_bytes: u64,
    statement_timeout: Duration,
}

impl Postgres {
    /// Creates the pools without opening a connection. The database may start later and may
    /// restart.
    ///
    /// # Errors
    /// [`PostgresUrlError`].
    pub fn new(config: &PostgresConfig) -> Result<Self, PostgresUrlError> {
        let invalid = |e: &dyn std::fmt::Display| {
            let example = "postgresql://user:password@127.0.0.1:5432/database";
            PostgresUrlError(format!("is not a PostgreSQL URL such as {example}: {e}"))
        };
        let mut pg = tokio_postgres::Config::from_str(&config.url).map_err(|e| invalid(&e))?;
        // JIT compilation costs more than it saves.
        let options = format!(
            "{} -c jit=off -c TimeZone=UTC -c statement_timeout={} -c lock_timeout={} \
             -c client_connection_check_interval=1000",
            pg.get_options().unwrap_or_default(),
            config.statement_timeout.as_millis(),
            config.wait.as_millis(),
        );
        if pg.get_ssl_mode() == SslMode::Require {
            let problem = "has sslmode=require, but this service connects to PostgreSQL without \
                           TLS; use a trusted network or tunnel, and sslmode=prefer";
            return Err(PostgresUrlError(problem.to_owned()));
        }
        pg.application_name(APPLICATION_NAME);
        let has_several = pg.get_hosts().len() > 1;
        match config.role {
            // A standby would reject writes and return older data.
            ServerRole::Primary
                if has_several && pg.get_target_session_attrs() == TargetSessionAttrs::Any =>
            {
                pg.target_session_attrs(TargetSessionAttrs::ReadWrite);
            }
            ServerRole::Replica
                if has_several && pg.get_load_balance_hosts() == LoadBalanceHosts::Disable =>
            {
                pg.load_balance_hosts(LoadBalanceHosts::Random);
            }
            _ => {}
        }
        if pg.get_connect_timeout().is_none() {
            pg.connect_timeout(config.wait);
        }
        // Releases the locks of a batch whose connection is lost. 0 means no limit, as for
        // statements.
        let idle =
            i32::try_from((config.statement_timeout * BATCH_STATEMENTS).as_millis()).unwrap_or(0);
        let writers_options =
            format!("{options} {WRITERS_PLANS} -c idle_in_transaction_session_timeout={idle}");
        let pool = |options: &str, connections| {
            let mut pg = pg.clone();
            pg.options(options.trim());
            let fast = ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            };
            Pool::builder(Manager::from_connect(pg, OwnThreads, fast))
                .config(PoolConfig {
                    max_size: connections,
                    timeouts: Timeouts {
                        wait: Some(config.wait),
                        create: Some(config.wait),
                        recycle: Some(config.wait),
                    },
                    ..PoolConfig::default()
                })
                .runtime(Runtime::Tokio1)
                .build()
                .map_err(|e| invalid(&e))
        };
        let readers = pool(&format!("{options} {READERS_PLANS}"), config.connections)?;
        let writers = pool(&writers_options, WORKERS)?;
        let heartbeat = pool(&format!("{options} {READERS_PLANS}"), 1)?;
        Ok(Self {
            pool: readers,
            writers,
            heartbeat,
            chunks: Arc::default(),
            max_write_wait: config.max_write_wait,
            max_queued_bytes: config.max_queued_bytes as u64,
            secret: Arc::default(),
            wait: config.wait,
            statement_timeout: config.statement_timeout,
        })
    }

    /// Returns the current use of the connection pools.
    #[must_use]
    pub fn usage(&self) -> PostgresUsage {
        let pool = |name, pool: &Pool| {
            let status = pool.status();
            PoolUsage {
                name,
                most: status.max_size,
                open: status.size,
                idle: status.available,
                waiting: status.waiting,
            }
        };
        let pools = [
            ("readers", &self.pool),
            ("writers", &self.writers),
            ("heartbeat", &self.heartbeat),
        ];
        PostgresUsage {
            pools: pools.map(|(name, of)| pool(name, of)),
        }
    }

    /// Returns the maximum time of a batch in which `changing` sessions change stored ones, for
    /// connections to a server that no longer responds. `None` if statements have no limit.
    pub(super) fn batch_timeout(&self, changing: usize) -> Option<Duration> {
        let sessions = u32::try_from(changing + 1).unwrap_or(u32::MAX);
        let statements = self
            .statement_timeout
            .checked_mul(sessions.saturating_mul(BATCH_STATEMENTS))?;
        (!statements.is_zero()).then(|| self.wait.saturating_add(statements))
    }

    /// Checks that the database responds and has the schema of this program.
    ///
    /// # Errors
    /// [`MigrateError`], which names the remedy.
    pub async fn check_schema(&self) -> Result<(), MigrateError> {
        let client = self
            .connection("checking the schema")
            .await
            .map_err(MigrateError::of_connection)?;
        migrate::check(&client).await
    }

    pub(super) async fn connection(&self, doing: &'static str) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(|e| from_pool(doing, e))
    }

    pub(super) async fn writers_connection(
        &self,
        doing: &'static str,
    ) -> Result<Object, StoreError> {
        self.writers.get().await.map_err(|e| from_pool(doing, e))
    }

    /// Closes the idle connections of the workers.
    pub(super) fn close_idle_writers(&self) {
        self.writers.retain(|_, _| false);
    }

    /// Returns the partitions of `block`; `None` if it is a plain table.
    pub(super) async fn chunks(&self) -> Result<Option<&Chunks>, StoreError> {
        let detect = async || {
            let client = self.connection("detecting TimescaleDB").await?;
            let found = Chunks::detect(&client).await;
            found.map_err(|e| PgError::from(e).into_store_error("detecting TimescaleDB"))
        };
        self.chunks
            .get_or_try_init(detect)
            .await
            .map(Option::as_ref)
    }
}
