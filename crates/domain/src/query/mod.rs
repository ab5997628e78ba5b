//! Query: what is asked → plan → scan and fold → answer; and the points themselves.

mod aggregate;
mod answer;
mod ask;
mod cached;
mod fold;
mod memory_budget;
mod plan;
pub mod points;
mod select;

pub use aggregate::{Aggregate, QueryError};
pub use answer::{AggregateAnswer, BucketRow, Column, Figure, Group, SeriesAnswer, Work};
pub use ask::{
    Accuracy, AggFunction, AggregateQuery, Axis, Fill, FilterError, GroupBy, Lookback,
    LookbackError, Offsets, Percent, UnknownFunction, ValueFilter,
};
pub use cached::{CachedAggregate, Found, Keep, key as answer_key};
pub use fold::{ABSOLUTE_ERROR, QueryLimits, RELATIVE_ERROR, Refusal};
pub use memory_budget::{MemoryReservation, QueryMemory};
