//! Query: what is asked → plan → scan and fold → answer.

mod agg_function;
mod aggregate;
mod answer;
mod cached;
mod fold;
mod plan;

pub use agg_function::{AggFunction, UnknownFunction};
pub use aggregate::{Aggregate, AggregateQuery, QueryError};
pub use answer::{AggregateAnswer, BucketRow, Cell, SeriesAnswer, TextSummary};
pub use cached::CachedAggregate;
