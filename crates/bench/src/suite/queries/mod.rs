//! Latency of queries.

mod catalogue;
mod datasets;
mod measure;
mod rows;
mod runner;
mod stream;

pub(super) use self::measure::measure;

const PART: &str = "queries";
