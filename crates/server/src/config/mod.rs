//! Settings, read from the environment and `.env`. The service refuses to start on an invalid
//! setting.

mod admin;
mod cache;
mod database;
mod env;
mod http;
mod limits;
mod log;
mod memory;
mod net;
mod queries;
mod root;
mod secrets;
mod writes;

pub use admin::AdminConfig;
pub use cache::CacheConfig;
pub use database::DatabaseConfig;
pub use env::ConfigError;
pub use http::HttpConfig;
pub use limits::LimitsConfig;
pub use log::LogConfig;
pub use net::NetConfig;
pub use queries::QueriesConfig;
pub use root::Config;
pub use secrets::SecretsConfig;
pub use writes::WritesConfig;
