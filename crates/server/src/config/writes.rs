//! Settings of writes.

use std::time::Duration;

use super::env::{ConfigError, Env};

/// Settings of writes.
#[derive(Debug, Clone)]
pub struct WritesConfig {
    /// `MAX_WRITE_WAIT_MS` (default `5000`): maximum expected wait of a write. A session that would
    /// wait longer, according to the measured rate, is rejected.
    pub max_wait: Duration,
    /// `WRITE_TIMEOUT_MS` (default `20000`): maximum time of a write, including its wait.
    pub timeout: Duration,
}

impl WritesConfig {
    pub(super) fn read(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            max_wait: env.positive_milliseconds("MAX_WRITE_WAIT_MS", 5_000)?,
            timeout: env.positive_milliseconds("WRITE_TIMEOUT_MS", 20_000)?,
        })
    }
}
