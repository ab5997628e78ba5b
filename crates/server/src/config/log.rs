//! Settings of logging.

use tracing_subscriber::EnvFilter;

use super::env::{ConfigError, Env};

/// Settings of logging.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// `RUST_LOG` (default `info`): a level, or directives such as `info,time_series_api=debug`.
    pub directives: String,
    /// `LOG_FORMAT` (default `json`): format of the log lines, `json` or `text`.
    pub json: bool,
}

impl LogConfig {
    pub(super) fn read(env: &Env) -> Result<Self, ConfigError> {
        let directives = env.text("RUST_LOG").unwrap_or_else(|| "info".to_owned());
        EnvFilter::try_new(&directives)
            .map_err(|e| ConfigError::new("RUST_LOG", format!("is {directives:?}: {e}")))?;
        Ok(Self {
            directives,
            json: env.keyword("LOG_FORMAT", &["json", "text"])? == 0,
        })
    }
}
