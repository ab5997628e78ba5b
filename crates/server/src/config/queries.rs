//! Settings of queries.

use std::time::Duration;

use super::database::DatabaseConfig;
use super::env::{ConfigError, Env};

/// Settings of queries.
#[derive(Debug, Clone)]
pub struct QueriesConfig {
    /// `QUERY_CONCURRENCY` (default half of `DATABASE_CONNECTIONS`): maximum number of concurrent
    /// queries.
    pub concurrency: usize,
    /// `QUERY_TIMEOUT_MS` (default `30000`): maximum time of a query, and upper limit of
    /// `Request-Timeout`.
    pub timeout: Duration,
}

impl QueriesConfig {
    pub(super) fn read(env: &Env, database: &DatabaseConfig) -> Result<Self, ConfigError> {
        let half = (database.connections / 2).max(1);
        Ok(Self {
            concurrency: env.positive("QUERY_CONCURRENCY", half)?,
            timeout: env.milliseconds("QUERY_TIMEOUT_MS", 30_000)?,
        })
    }
}
