//! Integration tests of the domain: cache keys, schema leaves and fuzz targets.

#![expect(clippy::panic, reason = "a failing fuzz target panics")]

mod answer_keys;
mod fuzz;
mod leaves;
