//! The types that most programs need: `use time_series_domain::prelude::*`.

pub use crate::{
    Calendar, Clock, FixedClock, Interval, Json, MetricTypeId, Pointer, Sample, SeriesName,
    SessionId, Summary, Timestamp, UserId, UtcDay, Weekday,
};

#[cfg(feature = "schema")]
pub use crate::{
    Catalogue, MetricType, SeriesMode, SeriesSelector,
    embedded::{Database, DatabaseError},
    query::{AggFunction, AggregateAnswer, AggregateSpec, Figure},
};
