//! One measurement.

use crate::{Json, SeriesName, Timestamp};

/// A value of a series at an instant. Several points may share an instant; none is merged away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSeriesPoint {
    /// The metric type it belongs to.
    pub series: SeriesName,
    /// When it was measured.
    pub time: Timestamp,
    /// What was measured, as its metric type's schema describes.
    pub value: Json,
}
