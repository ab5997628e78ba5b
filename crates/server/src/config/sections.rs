//! One struct a concern; the doc of each field names its variable.

use std::net::SocketAddr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use time_series_api::ReplicaReads;
use time_series_domain::TimeRules;
use time_series_domain::query::QueryLimits;
use tracing_subscriber::EnvFilter;

use super::env::{ConfigError, Env};
use super::memory;
use super::net::NetConfig;

/// A day.
const MOST_MILLISECONDS: u32 = 24 * 60 * 60 * 1_000;

/// The part of the available memory that bodies may take, and its bounds.
const MEMORY_PARTS: usize = 8;
const LEAST_IN_FLIGHT: usize = 8 << 20;
const MOST_IN_FLIGHT: usize = 128 << 20;
/// The part of the available memory that queries may take, and the most of it.
const ANSWER_PARTS: usize = 4;
const MOST_ANSWERS: usize = 256 << 20;
/// Positions in a body are counted in 32 bits.
const LONGEST_BODY: usize = 1 << 30;
/// Minimum length of `SECRET_KEY`.
const MIN_SECRET_BYTES: usize = 32;

/// All settings.
#[derive(Debug)]
pub struct Config {
    /// The HTTP server.
    pub http: HttpConfig,
    /// PostgreSQL.
    pub database: DatabaseConfig,
    /// Writes.
    pub writes: WritesConfig,
    /// Queries.
    pub queries: QueriesConfig,
    /// The cache of answers.
    pub cache: CacheConfig,
    /// Who may change metric types.
    pub admin: AdminConfig,
    /// Secrets of the service itself.
    pub secrets: SecretsConfig,
    /// What is too much.
    pub limits: LimitsConfig,
    /// Logging.
    pub log: LogConfig,
}

/// The HTTP server.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// `BIND_ADDR`, default `127.0.0.1:8000`; port 0 takes a free one.
    pub bind: SocketAddr,
    /// `WORKERS`, default the number of cores: threads that serve requests.
    pub workers: usize,
    /// `SHUTDOWN_SECONDS`, default 30: how long requests may go on after a stop was asked for.
    pub shutdown: Duration,
    /// `ALLOWED_HOSTS`, names and addresses with commas: the values of `Host` that are answered. By default loopback names
    /// on a loopback `BIND_ADDR`, else all.
    pub allowed_hosts: Option<Vec<String>>,
    /// Bounds on connections and transfers.
    pub net: NetConfig,
}

/// Writes.
#[derive(Debug, Clone)]
pub struct WritesConfig {
    /// `MAX_WRITE_WAIT_MS`, default 5000: a session that would wait longer to be stored, by the measured rate, is refused.
    pub longest_wait: Duration,
    /// `WRITE_TIMEOUT_MS`, default 20000: the longest time of a write, waiting included.
    pub timeout: Duration,
}

impl WritesConfig {
    fn read(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            longest_wait: at_least_one(
                "MAX_WRITE_WAIT_MS",
                milliseconds(env, "MAX_WRITE_WAIT_MS", 5_000)?,
            )?,
            timeout: at_least_one(
                "WRITE_TIMEOUT_MS",
                milliseconds(env, "WRITE_TIMEOUT_MS", 20_000)?,
            )?,
        })
    }
}

/// PostgreSQL.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// `DATABASE_URL`, required: `postgresql://user:password@host:port/database`.
    pub url: SecretString,
    /// `DATABASE_READ_URL`: replicas that answer reads.
    pub read_url: Option<SecretString>,
    /// `REPLICA_READS`, `versioned` (default) or `all`: the reads that replicas answer.
    pub replica_reads: ReplicaReads,
    /// `DATABASE_CONNECTIONS`, default 16: the most connections at a time.
    pub connections: usize,
    /// `DATABASE_WAIT_MS`, default 5000: how long a request waits for a free connection.
    pub wait: Duration,
    /// `STATEMENT_TIMEOUT_MS`, default 30000: how long a statement may run.
    pub statement_timeout: Duration,
}

/// Queries.
#[derive(Debug, Clone)]
pub struct QueriesConfig {
    /// `QUERY_CONCURRENCY`, default half of `DATABASE_CONNECTIONS`: how many run at a time.
    pub concurrency: usize,
    /// `QUERY_TIMEOUT_MS`, default 30000: how long one may take, whatever its `Request-Timeout` says.
    pub timeout: Duration,
}

/// The cache of answers.
#[derive(Debug, Clone)]
pub struct CacheConfig {
    /// `CACHE`, `on` (default) or `off`.
    pub enabled: bool,
    /// `REDIS_URL`; without it answers are cached in this process.
    pub redis_url: Option<SecretString>,
    /// `REDIS_WAIT_MS`, default 5: a slower Redis is no help, and is left alone for a while.
    pub redis_wait: Duration,
    /// `CACHE_MAX_BYTES`, default a sixteenth of the available memory, at most 64 MiB: the size of the cache in this process.
    pub max_bytes: u64,
    /// `CACHE_WORTH_MS`, default 5: answers that took less are not kept.
    pub worth: Duration,
}

/// Who may change metric types.
#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// `ADMIN_TOKEN`: the bearer token of admins. Without one, metric types can be changed only if
    /// the service listens on a loopback address.
    pub token: Option<SecretString>,
}

/// Secrets of the service itself.
#[derive(Debug, Clone)]
pub struct SecretsConfig {
    /// `SECRET_KEY`, at least 32 bytes: the root of the keys of cursors and cached answers. Without it, a random one that
    /// is kept in the database.
    pub key: Option<SecretString>,
}

/// What is too much.
#[derive(Debug, Clone)]
pub struct LimitsConfig {
    /// `MAX_BODY_BYTES`, default half of `MAX_BYTES_IN_FLIGHT`: the longest request body, unpacked.
    pub body_bytes: usize,
    /// `MAX_BYTES_IN_FLIGHT`, default an eighth of the available memory, at most 128 MiB: bytes of all bodies in memory
    /// together, half of them for bulk uploads.
    pub bytes_in_flight: usize,
    /// `MAX_ANSWER_BYTES`, default a quarter of the available memory, at most 256 MiB: bytes that queries hold together, from
    /// the first value that they gather to the last byte that they send.
    pub answer_bytes: usize,
    /// `MAX_ROWS`, default 1000000: the most rows of an answer.
    pub rows: usize,
    /// `MAX_BUCKET_VALUES`, default 5000000: the most values of a bucket that are kept for percentiles.
    pub bucket_values: usize,
    /// `MAX_POINTS_READ`, default 100000000: the most points that a query reads.
    pub points_read: u64,
    /// `DAYS_BEFORE_START` (1), `DAYS_AFTER_START` (31), `DAYS_AHEAD` (1): plausible times of points.
    pub times: TimeRules,
}

/// Logging.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// `LOG`, default `info`: a level, or directives such as `info,time_series_api=debug`.
    pub directives: String,
    /// `LOG_FORMAT`, `json` (default) or `text`.
    pub json: bool,
}

impl Config {
    /// Reads the environment, and `.env` for what is not in it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&Env::of_process()?)
    }

    fn read(env: &Env) -> Result<Self, ConfigError> {
        let database = DatabaseConfig::read(env)?;
        Ok(Self {
            http: HttpConfig::read(env)?,
            writes: WritesConfig::read(env)?,
            queries: QueriesConfig::read(env, &database)?,
            database,
            cache: CacheConfig::read(env)?,
            admin: AdminConfig {
                token: env.text("ADMIN_TOKEN").map(SecretString::from),
            },
            secrets: SecretsConfig::read(env)?,
            limits: LimitsConfig::read(env)?,
            log: LogConfig::read(env)?,
        })
    }
}

impl HttpConfig {
    fn read(env: &Env) -> Result<Self, ConfigError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            bind: env.address("BIND_ADDR", SocketAddr::from(([127, 0, 0, 1], 8000)))?,
            workers: at_least_one("WORKERS", env.parsed("WORKERS", cores)?)?,
            shutdown: Duration::from_secs(env.parsed("SHUTDOWN_SECONDS", 30)?),
            allowed_hosts: env.text("ALLOWED_HOSTS").map(|text| {
                text.split(',')
                    .map(|host| host.trim().to_ascii_lowercase())
                    .filter(|host| !host.is_empty())
                    .collect()
            }),
            net: NetConfig::read(env)?,
        })
    }
}

impl DatabaseConfig {
    fn read(env: &Env) -> Result<Self, ConfigError> {
        let what = "a URL such as postgresql://user:password@127.0.0.1:5432/database (`cargo xtask up` brings its own)";
        Ok(Self {
            url: env.required("DATABASE_URL", what)?.into(),
            read_url: env.text("DATABASE_READ_URL").map(SecretString::from),
            replica_reads: [ReplicaReads::Versioned, ReplicaReads::All]
                [one_of(env, "REPLICA_READS", &["versioned", "all"])?],
            connections: at_least_one(
                "DATABASE_CONNECTIONS",
                env.parsed("DATABASE_CONNECTIONS", 16)?,
            )?,
            wait: milliseconds(env, "DATABASE_WAIT_MS", 5_000)?,
            statement_timeout: milliseconds(env, "STATEMENT_TIMEOUT_MS", 30_000)?,
        })
    }
}

impl QueriesConfig {
    fn read(env: &Env, database: &DatabaseConfig) -> Result<Self, ConfigError> {
        let half = (database.connections / 2).max(1);
        Ok(Self {
            concurrency: at_least_one("QUERY_CONCURRENCY", env.parsed("QUERY_CONCURRENCY", half)?)?,
            timeout: milliseconds(env, "QUERY_TIMEOUT_MS", 30_000)?,
        })
    }
}

impl CacheConfig {
    fn read(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            enabled: one_of(env, "CACHE", &["on", "off"])? == 0,
            redis_url: env.text("REDIS_URL").map(SecretString::from),
            // The client takes 0 for no limit.
            redis_wait: at_least_one("REDIS_WAIT_MS", milliseconds(env, "REDIS_WAIT_MS", 5)?)?,
            max_bytes: env.parsed(
                "CACHE_MAX_BYTES",
                (memory::available() as u64 / 16).clamp(4 << 20, 64 << 20),
            )?,
            worth: milliseconds(env, "CACHE_WORTH_MS", 5)?,
        })
    }
}

impl SecretsConfig {
    fn read(env: &Env) -> Result<Self, ConfigError> {
        let key = env.text("SECRET_KEY").map(SecretString::from);
        if key
            .as_ref()
            .is_some_and(|key| key.expose_secret().len() < MIN_SECRET_BYTES)
        {
            let problem = format!(
                "is shorter than {MIN_SECRET_BYTES} bytes; make one with `openssl rand -hex 32`"
            );
            return Err(ConfigError::new("SECRET_KEY", problem));
        }
        Ok(Self { key })
    }
}

impl LimitsConfig {
    fn read(env: &Env) -> Result<Self, ConfigError> {
        let (rules, limits) = (TimeRules::default(), QueryLimits::default());
        let days = |name, default: i64| {
            let days: u16 = env.parsed(name, u16::try_from(default).unwrap_or(u16::MAX))?;
            Ok::<_, ConfigError>(i64::from(days))
        };
        let memory = memory::available() / MEMORY_PARTS;
        let by_memory = memory.clamp(LEAST_IN_FLIGHT, MOST_IN_FLIGHT);
        let answers = (memory::available() / ANSWER_PARTS).clamp(LEAST_IN_FLIGHT, MOST_ANSWERS);
        let in_flight = at_least_one(
            "MAX_BYTES_IN_FLIGHT",
            env.parsed("MAX_BYTES_IN_FLIGHT", by_memory)?,
        )?;
        let body_bytes = at_least_one(
            "MAX_BODY_BYTES",
            env.parsed("MAX_BODY_BYTES", (in_flight / 2).max(1))?,
        )?;
        if body_bytes > LONGEST_BODY {
            return Err(ConfigError::new(
                "MAX_BODY_BYTES",
                format!("must be at most {LONGEST_BODY}"),
            ));
        }
        Ok(Self {
            body_bytes,
            bytes_in_flight: in_flight,
            answer_bytes: at_least_one(
                "MAX_ANSWER_BYTES",
                env.parsed("MAX_ANSWER_BYTES", answers)?,
            )?,
            rows: at_least_one("MAX_ROWS", env.parsed("MAX_ROWS", limits.rows)?)?,
            bucket_values: at_least_one(
                "MAX_BUCKET_VALUES",
                env.parsed("MAX_BUCKET_VALUES", limits.bucket_values)?,
            )?,
            points_read: env.parsed("MAX_POINTS_READ", limits.points_read)?,
            times: TimeRules {
                days_before_start: days("DAYS_BEFORE_START", rules.days_before_start)?,
                days_after_start: days("DAYS_AFTER_START", rules.days_after_start)?,
                days_ahead_of_clock: days("DAYS_AHEAD", rules.days_ahead_of_clock)?,
            },
        })
    }
}

impl LimitsConfig {
    /// What is too much for a query.
    #[must_use]
    pub const fn queries(&self) -> QueryLimits {
        QueryLimits {
            rows: self.rows,
            bucket_values: self.bucket_values,
            points_read: self.points_read,
        }
    }
}

impl LogConfig {
    fn read(env: &Env) -> Result<Self, ConfigError> {
        let directives = env.text("LOG").unwrap_or_else(|| "info".to_owned());
        EnvFilter::try_new(&directives)
            .map_err(|e| ConfigError::new("LOG", format!("is {directives:?}: {e}")))?;
        Ok(Self {
            directives,
            json: one_of(env, "LOG_FORMAT", &["json", "text"])? == 0,
        })
    }
}

pub(super) fn at_least_one<T: Default + PartialEq>(
    name: &'static str,
    value: T,
) -> Result<T, ConfigError> {
    if value == T::default() {
        Err(ConfigError::new(name, "must be at least 1"))
    } else {
        Ok(value)
    }
}

/// A time of at most a day: `PostgreSQL` takes no more than 2^31 of them, and several of ours are put together.
pub(super) fn milliseconds(
    env: &Env,
    name: &'static str,
    default: u32,
) -> Result<Duration, ConfigError> {
    let millis = env.parsed(name, default)?;
    if millis > MOST_MILLISECONDS {
        return Err(ConfigError::new(
            name,
            format!("must be at most {MOST_MILLISECONDS}, a day"),
        ));
    }
    Ok(Duration::from_millis(millis.into()))
}

/// Which of some words a setting is; the first where it is absent.
fn one_of(env: &Env, name: &'static str, words: &[&str]) -> Result<usize, ConfigError> {
    let Some(text) = env.text(name) else {
        return Ok(0);
    };
    words.iter().position(|word| *word == text).ok_or_else(|| {
        ConfigError::new(
            name,
            format!("is {text:?}; it must be {}", words.join(" or ")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: (&str, &str) = ("DATABASE_URL", "postgresql://me:hush@127.0.0.1/db");

    #[test]
    fn defaults_need_only_a_database() {
        let config = Config::read(&Env::of(&[URL])).expect("valid");
        assert_eq!(config.http.bind.to_string(), "127.0.0.1:8000");
        assert!(config.cache.enabled);
    }

    #[test]
    fn an_address_may_be_a_name() {
        let config =
            Config::read(&Env::of(&[URL, ("BIND_ADDR", "localhost:8123")])).expect("valid");
        assert!(config.http.bind.ip().is_loopback() && config.http.bind.port() == 8123);
    }

    #[test]
    fn what_does_not_parse_is_named() {
        let wrong = [
            ("BIND_ADDR", "here"),
            ("CACHE", "maybe"),
            ("MAX_ROWS", "0"),
            ("DAYS_AHEAD", "-1"),
            ("STATEMENT_TIMEOUT_MS", "86400001"),
            ("REDIS_WAIT_MS", "0"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, somewhere"),
            ("MIN_TRANSFER_RATE", "0"),
            ("SECRET_KEY", "hush-only-thirty-one-bytes-long"),
        ];
        for (name, value) in wrong {
            let e = Config::read(&Env::of(&[URL, (name, value)])).expect_err(name);
            assert!(
                e.to_string().contains(name) && !e.to_string().contains("hush"),
                "{e}"
            );
        }
        let e = Config::read(&Env::of(&[])).expect_err("no database");
        assert!(e.to_string().contains("DATABASE_URL"), "{e}");
    }

    #[test]
    fn secrets_do_not_reach_debug_output() {
        let config = Config::read(&Env::of(&[
            URL,
            ("ADMIN_TOKEN", "hush2"),
            ("SECRET_KEY", &"hush".repeat(8)),
        ]))
        .expect("valid");
        assert!(!format!("{config:?}").contains("hush"));
    }
}
