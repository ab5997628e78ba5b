//! The domain's ports on PostgreSQL/TimescaleDB and Redis, and in-process defaults for optional
//! ports.

mod authenticated_cache;
pub mod local;
pub mod postgres;
pub mod redis;

pub use authenticated_cache::AuthenticatedCache;
