//! The domain's ports over PostgreSQL/TimescaleDB and Redis, and embedded defaults for what is optional.

mod authenticated_cache;
pub mod local;
pub mod postgres;
pub mod redis;

pub use authenticated_cache::AuthenticatedCache;
