//! Redis: an optional cache that several processes share.

mod breaker;
mod redis_cache;

pub use redis_cache::{RedisCache, RedisUrlError};
