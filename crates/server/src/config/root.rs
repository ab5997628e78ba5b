//! All settings.

use super::env::{ConfigError, Env};
use super::{
    AdminConfig, CacheConfig, DatabaseConfig, HttpConfig, LimitsConfig, LogConfig, QueriesConfig,
    SecretsConfig, WritesConfig,
};

/// All settings.
#[derive(Debug)]
pub struct Config {
    /// Settings of the HTTP server.
    pub http: HttpConfig,
    /// Settings of PostgreSQL.
    pub database: DatabaseConfig,
    /// Settings of writes.
    pub writes: WritesConfig,
    /// Settings of queries.
    pub queries: QueriesConfig,
    /// Settings of the cache of query results.
    pub cache: CacheConfig,
    /// Settings of admins.
    pub admin: AdminConfig,
    /// Secrets of the service.
    pub secrets: SecretsConfig,
    /// Limits on requests, queries and times.
    pub limits: LimitsConfig,
    /// Settings of logging.
    pub log: LogConfig,
}

impl Config {
    /// Reads the settings from the environment, and from `.env` for variables that it lacks.
    ///
    /// # Errors
    /// [`ConfigError`], which names the setting.
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
            admin: AdminConfig::read(env),
            secrets: SecretsConfig::read(env)?,
            limits: LimitsConfig::read(env)?,
            log: LogConfig::read(env)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: (&str, &str) = ("DATABASE_URL", "postgresql://me:hush@127.0.0.1/db");

    #[test]
    fn only_the_database_is_required() {
        let config = Config::read(&Env::of(&[URL])).expect("valid settings");
        assert_eq!(config.http.bind.to_string(), "127.0.0.1:8000");
        assert!(config.cache.enabled);
    }

    #[test]
    fn an_address_can_have_a_host_name() {
        let config = Config::read(&Env::of(&[URL, ("BIND_ADDR", "localhost:8123")]))
            .expect("valid settings");
        assert!(config.http.bind.ip().is_loopback() && config.http.bind.port() == 8123);
    }

    #[test]
    fn an_invalid_setting_is_named() {
        let invalid = [
            ("BIND_ADDR", "here"),
            ("CACHE", "maybe"),
            ("MAX_ROWS", "0"),
            ("MAX_FUTURE_DAYS", "-1"),
            ("STATEMENT_TIMEOUT_MS", "86400001"),
            ("REDIS_TIMEOUT_MS", "0"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, somewhere"),
            ("MIN_TRANSFER_RATE", "0"),
            ("SECRET_KEY", "hush-only-thirty-one-bytes-long"),
        ];
        for (name, value) in invalid {
            let e = Config::read(&Env::of(&[URL, (name, value)])).expect_err(name);
            assert!(
                e.to_string().contains(name) && !e.to_string().contains("hush"),
                "{e}"
            );
        }
        let e = Config::read(&Env::of(&[])).expect_err("DATABASE_URL is missing");
        assert!(e.to_string().contains("DATABASE_URL"), "{e}");
    }

    #[test]
    fn debug_output_contains_no_secrets() {
        let config = Config::read(&Env::of(&[
            URL,
            ("ADMIN_TOKEN", "hush2"),
            ("SECRET_KEY", &"hush".repeat(8)),
        ]))
        .expect("valid settings");
        assert!(!format!("{config:?}").contains("hush"));
    }
}
