//! Accumulated state of a bucket: summaries and retained values of numbers, or texts.

use super::text_accumulator::TextAccumulator;
use super::time_weighted_mean::TimeWeightedMean;
use super::values::{SKETCH_WEIGHT, Values};
use crate::Summary;

/// The state of one series in one bucket and group.
pub(in crate::query) enum BucketState {
    /// One accumulator per channel. A channel without a number has an empty summary.
    Numbers(Vec<Accumulator>),
    /// State of a series without channels.
    Text(Box<TextAccumulator>),
    /// State of a row beyond the limit, which is only counted.
    Counted,
}

impl BucketState {
    /// Returns the empty state of a series with channels.
    pub(super) fn of_numbers(channels: usize, retains_values: bool) -> Self {
        Self::Numbers(
            std::iter::repeat_with(|| Accumulator::new(retains_values))
                .take(channels)
                .collect(),
        )
    }

    /// Returns the number of retained values.
    pub(super) fn retained(&self) -> usize {
        match self {
            Self::Numbers(accumulators) => accumulators
                .iter()
                .filter_map(|a| a.values.as_ref())
                .map(|v| v.retained())
                .sum(),
            Self::Text(accumulator) => accumulator.retained(),
            Self::Counted => 0,
        }
    }

    /// Replaces lists of values that take more memory than a sketch by sketches.
    pub(super) fn sketch(&mut self) {
        let Self::Numbers(accumulators) = self else {
            return;
        };
        for values in accumulators
            .iter_mut()
            .filter_map(|a| a.values.as_mut())
            .filter(|v| v.retained() > SKETCH_WEIGHT)
        {
            values.sketch();
        }
    }
}

/// The state of one channel in a bucket.
pub(in crate::query) struct Accumulator {
    pub(in crate::query) summary: Summary,
    /// The values, if a function needs them.
    pub(in crate::query) values: Option<Box<Values>>,
    pub(in crate::query) time_weighted: TimeWeightedMean,
}

impl Accumulator {
    /// Returns an empty accumulator.
    pub(in crate::query) fn new(retains_values: bool) -> Self {
        Self {
            summary: Summary::EMPTY,
            values: retains_values.then(|| Box::new(Values::new())),
            time_weighted: TimeWeightedMean::default(),
        }
    }

    /// Returns the mean weighted by time, or the plain mean if no value was in effect for any time.
    pub(in crate::query) fn time_average(&self) -> Option<f64> {
        self.time_weighted.mean().or_else(|| self.summary.mean())
    }
}
