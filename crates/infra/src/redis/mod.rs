//! Redis: a cache shared by several processes. Without it everything works, slower.

mod breaker;
mod redis_cache;

pub use redis_cache::{RedisCache, RedisUrlError};
