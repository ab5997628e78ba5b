//! The catalogue of metric types over its store: a cache, and the use case of managing metric
//! types.

mod cache;
mod manage;

pub use cache::CatalogueCache;
pub use manage::{ManageError, MetricTypes};
