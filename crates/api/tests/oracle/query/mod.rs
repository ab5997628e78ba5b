//! Random queries, their URLs, and their meaning to the model.

pub(crate) mod aggregate_query;
pub(crate) mod aggregate_spec;
pub(crate) mod condition;
pub(crate) mod parameters;
pub(crate) mod points_query;
pub(crate) mod points_spec;
pub(crate) mod series;
pub(crate) mod time_range;

/// The route of aggregate queries.
pub(crate) const AGGREGATES: &str = "/api/timeseries/";
