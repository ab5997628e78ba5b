//! Integration tests of the domain: cache keys, schema leaves and fuzz targets.

#![expect(clippy::panic, reason = "a failing fuzz target panics")]

mod cache_keys;
mod fuzz;
mod schema_leaves;
