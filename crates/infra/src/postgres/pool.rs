//! Connections to PostgreSQL.

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

/// Generic plans of our array queries are up to 70 times slower.
const PLANS: &str = "-c plan_cache_mode=force_custom_plan";
/// Writers look rows up by their keys, however many there are: that needs no planning each time.
const WRITERS_PLANS: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off";

/// So many statements of a group at most take their longest, one after the other; so many more for a session that is
/// appended to or replaced.
const GROUP_STATEMENTS: u32 = 4;

/// The name of our connections in `pg_stat_activity`.
pub(super) const APPLICATION_NAME: &str = "time-series-api";

/// How to reach PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// `postgresql://user:password@host:port/database`, or the driver's key=value form.
    pub url: String,
    /// The most connections at a time.
    pub connections: usize,
    /// How long a request waits for a free connection.
    pub wait: Duration,
    /// How long a statement may run.
    pub statement_timeout: Duration,
    /// A session that would wait longer to be stored, by the measured rate, is refused.
    pub max_write_wait: Duration,
    /// Bytes of sessions that may wait to be stored.
    pub max_queued_bytes: usize,
    /// The role of its servers.
    pub role: ServerRole,
}

/// The role of the servers of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerRole {
    /// Reads and writes. Of several servers, the one that takes writes is used.
    Primary,
    /// Reads. Of several servers, any is used.
    Replica,
}

/// `DATABASE_URL` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PostgresUrlError(String);

/// Current use of the connection pools and of the write queue.
#[derive(Debug, Clone, Copy)]
pub struct PostgresUsage {
    /// The pools of connections.
    pub pools: [PoolUsage; 3],
}

/// The connections of a pool.
#[derive(Debug, Clone, Copy)]
pub struct PoolUsage {
    /// Purpose of the connections.
    pub name: &'static str,
    /// The most there may be.
    pub most: usize,
    /// Those that are open.
    pub open: usize,
    /// Those that nobody uses.
    pub idle: usize,
    /// Requests that wait for one.
    pub waiting: usize,
}

/// The stores on PostgreSQL. Clones share everything.
#[derive(Clone)]
pub struct Postgres {
    pub(super) pool: Pool,
    /// Connections of the writers.
    pub(super) writers: Pool,
    /// The connection of the heartbeat, which never waits for others.
    pub(super) heartbeat: Pool,
    /// `None` inside: `block` is a plain table.
    chunks: Arc<OnceCell<Option<Chunks>>>,
    pub(super) secret: Arc<OnceCell<Arc<RootSecret>>>,
    /// How long a connection, or a turn, is waited for.
    pub(super) wait: Duration,
    pub(super) max_write_wait: Duration,
    pub(super) max_queued_bytes: u64,
    statement_timeout: Duration,
}

impl Postgres {
    /// Opens no connection yet: the database may come later, go, and come back.
    ///
    /// # Errors
    /// [`PostgresUrlError`].
    pub fn new(config: &PostgresConfig) -> Result<Self, PostgresUrlError> {
        let invalid = |e: &dyn std::fmt::Display| {
            let example = "postgresql://user:password@127.0.0.1:5432/database";
            PostgresUrlError(format!("is not a PostgreSQL URL such as {example}: {e}"))
        };
        let mut pg = tokio_postgres::Config::from_str(&config.url).map_err(|e| invalid(&e))?;
        // Compiling plans never pays.
        let options = format!(
            "{} -c jit=off -c TimeZone=UTC -c statement_timeout={} -c lock_timeout={} \
             -c client_connection_check_interval=1000",
            pg.get_options().unwrap_or_default(),
            config.statement_timeout.as_millis(),
            config.wait.as_millis(),
        );
        if pg.get_ssl_mode() == SslMode::Require {
            let problem = "has sslmode=require, which is not possible: this service speaks to PostgreSQL without TLS; use a network or a \
                           tunnel that you trust, and sslmode=prefer";
            return Err(PostgresUrlError(problem.to_owned()));
        }
        pg.application_name(APPLICATION_NAME);
        let has_several = pg.get_hosts().len() > 1;
        match config.role {
            // A standby would refuse writes, and answer reads with older data.
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
        // Where the network ends in the middle of a group, its locks end with it. 0 is no limit, as for statements.
        let idle =
            i32::try_from((config.statement_timeout * GROUP_STATEMENTS).as_millis()).unwrap_or(0);
        let of_writers =
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
        let readers = pool(&format!("{options} {PLANS}"), config.connections)?;
        let writers = pool(&of_writers, WORKERS)?;
        let heartbeat = pool(&format!("{options} {PLANS}"), 1)?;
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

    /// Returns the current use of the connection pools and of the write queue.
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

    /// How long a group may take to be stored, of whose sessions so many change what is stored; on a connection from which
    /// no answer may ever come. `None` where statements have no limit either.
    pub(super) fn batch_timeout(&self, changing: usize) -> Option<Duration> {
        let sessions = u32::try_from(changing + 1).unwrap_or(u32::MAX);
        let statements = self
            .statement_timeout
            .checked_mul(sessions.saturating_mul(GROUP_STATEMENTS))?;
        (!statements.is_zero()).then(|| self.wait.saturating_add(statements))
    }

    /// Whether the database answers and has the tables that this program was built for.
    ///
    /// # Errors
    /// [`MigrateError`], which says what to do.
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

    /// The partitions of `block`, if it has any.
    pub(super) async fn chunks(&self) -> Result<Option<&Chunks>, StoreError> {
        let detect = async || {
            let client = self.connection("looking for TimescaleDB").await?;
            let found = Chunks::detect(&client).await;
            found.map_err(|e| PgError::from(e).into_store_error("looking for TimescaleDB"))
        };
        self.chunks
            .get_or_try_init(detect)
            .await
            .map(Option::as_ref)
    }
}
