//! Settings, all from the environment (and `.env`). One that does not parse stops the start.

mod env;
mod memory;
mod sections;

pub use env::ConfigError;
pub use sections::{
    AdminConfig, CacheConfig, Config, DatabaseConfig, HttpConfig, LimitsConfig, LogConfig, NetConfig, QueriesConfig,
    SecretsConfig, WritesConfig,
};
