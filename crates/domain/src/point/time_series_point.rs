//! One measurement.

use crate::{Json, SeriesName, Timestamp};

/// A value of a series at an instant. Points with the same instant are all kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSeriesPoint {
    /// The series that the point belongs to.
    pub series: SeriesName,
    /// The time of the measurement.
    pub time: Timestamp,
    /// The measured value, as the schema of the metric type describes it.
    pub value: Json,
}
