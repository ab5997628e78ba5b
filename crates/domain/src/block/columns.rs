//! The points of one series of one session, turned into columns.

use super::remainder::split;
use crate::channel::Pointer;
use crate::{Json, MetricTypeId, Timestamp};

/// Points of one series as columns, ordered by (time, arrival).
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesColumns {
    /// The series.
    pub metric_type: MetricTypeId,
    pub(super) times: Vec<Timestamp>,
    /// One column a channel, in the order of the metric type's channels.
    pub(super) channels: Vec<Vec<Option<f64>>>,
    pub(super) rests: Vec<Option<Json>>,
}

impl SeriesColumns {
    /// Sorts points, given in order of arrival, by time and splits their values into columns.
    #[must_use]
    pub fn new(metric_type: MetricTypeId, channels: &[Pointer], mut points: Vec<(Timestamp, Json)>) -> Self {
        points.sort_by_key(|(time, _)| *time); // stable: equal times keep their order of arrival
        let mut columns = Self {
            metric_type,
            times: Vec::with_capacity(points.len()),
            channels: vec![Vec::with_capacity(points.len()); channels.len()],
            rests: Vec::with_capacity(points.len()),
        };
        for (time, value) in points {
            let (numbers, rest) = split(value, channels);
            columns.times.push(time);
            for (column, number) in columns.channels.iter_mut().zip(numbers) {
                column.push(number);
            }
            columns.rests.push(rest);
        }
        columns
    }

    /// How many points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no point.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
}
