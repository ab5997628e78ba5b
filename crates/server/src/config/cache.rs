//! Settings of the cache of query results.

use std::time::Duration;

use secrecy::SecretString;

use super::env::{ConfigError, Env};
use super::memory;

/// Divisor of the available memory for the default size of the cache.
const MEMORY_DIVISOR: u64 = 16;
/// Minimum default size of the cache, in bytes.
const MIN_DEFAULT_BYTES: u64 = 4 << 20;
/// Maximum default size of the cache, in bytes.
const MAX_DEFAULT_BYTES: u64 = 64 << 20;

/// Settings of the cache of query results.
#[derive(Debug, Clone)]
pub struct CacheConfig {
    /// `CACHE` (default `on`): whether query results are cached, `on` or `off`.
    pub enabled: bool,
    /// `REDIS_URL` (default none): a Redis server that several processes share as the cache.
    /// Without it, each process has its own cache.
    pub redis_url: Option<SecretString>,
    /// `REDIS_TIMEOUT_MS` (default `5`): maximum wait for Redis, at least 1. After a timeout, Redis
    /// is not used for a while.
    pub redis_timeout: Duration,
    /// `CACHE_MAX_BYTES` (default 1/16 of the available memory, 4 to 64 MiB): maximum size of the
    /// cache in the process.
    pub max_bytes: u64,
    /// `CACHE_MIN_COST_MS` (default `5`): minimum computation time of a result that is cached.
    pub min_cost: Duration,
}

impl CacheConfig {
    pub(super) fn read(env: &Env) -> Result<Self, ConfigError> {
        let default_bytes = (memory::available() as u64 / MEMORY_DIVISOR)
            .clamp(MIN_DEFAULT_BYTES, MAX_DEFAULT_BYTES);
        Ok(Self {
            enabled: env.keyword("CACHE", &["on", "off"])? == 0,
            redis_url: env.text("REDIS_URL").map(SecretString::from),
            // The Redis client interprets 0 as no limit.
            redis_timeout: env.positive_milliseconds("REDIS_TIMEOUT_MS", 5)?,
            max_bytes: env.parsed("CACHE_MAX_BYTES", default_bytes)?,
            min_cost: env.milliseconds("CACHE_MIN_COST_MS", 5)?,
        })
    }
}
