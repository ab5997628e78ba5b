//! Integration tests of the domain: cache keys, schema leaves and fuzz targets.

#![expect(clippy::panic, reason = "a failing fuzz target panics")]

mod cache_keys;
mod fuzz;
mod point_cache_keys;
mod schema_leaves;
