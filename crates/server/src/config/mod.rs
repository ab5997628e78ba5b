//! Settings, all from the environment (and `.env`). One that does not parse stops the start.

mod env;
mod memory;
mod net;
mod sections;

pub use env::ConfigError;
pub use net::NetConfig;
pub use sections::{
    AdminConfig, CacheConfig, Config, DatabaseConfig, HttpConfig, LimitsConfig, LogConfig,
    QueriesConfig, SecretsConfig, WritesConfig,
};
