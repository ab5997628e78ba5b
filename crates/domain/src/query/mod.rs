//! Queries: aggregates (spec, plan, execute, finalize) and raw points.

mod aggregate;
mod answer;
mod cached;
mod error;
mod execute;
mod finalize;
mod limits;
mod memory_budget;
mod plan;
pub mod points;
mod selection;
mod spec;

pub use aggregate::Aggregate;
pub use answer::{AggregateAnswer, BucketRow, Column, Figure, Group, QueryStats, SeriesAnswer};
pub use cached::{CacheLookup, CachedAggregate, PendingCacheWrite, cache_key};
pub use error::QueryError;
pub use execute::{ABSOLUTE_ERROR, RELATIVE_ERROR};
pub use limits::{LimitExceeded, QueryLimits};
pub use memory_budget::{MemoryReservation, QueryMemory};
pub use spec::{
    Accuracy, AggFunction, AggregateSpec, Axis, Fill, FilterError, GroupBy, Lookback,
    LookbackError, Offsets, Percent, UnknownFunction, ValueFilter,
};
