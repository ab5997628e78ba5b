//! The domain's ports over PostgreSQL/TimescaleDB and Redis, and embedded defaults for what is optional.

pub mod local;
pub mod postgres;
pub mod redis;
