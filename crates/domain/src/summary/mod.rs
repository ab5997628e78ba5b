//! Summaries: mergeable aggregates of samples.

mod moments;

use std::cmp::Ordering;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use crate::Timestamp;

pub use moments::Moments;

/// A number and the time of its measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The time of the measurement.
    pub time: Timestamp,
    /// The measured number.
    pub value: f64,
}

/// Count, sum, standard deviation, minimum, maximum, first and last of some samples.
///
/// Summaries form a commutative monoid: merging, with `+` or [`Summary::merge`], is associative and
/// commutative, and [`Summary::EMPTY`] is the identity. Any grouping of the samples gives the same
/// result: exactly, except for rounding in sum, mean and standard deviation.
///
/// ```
/// use time_series_domain::{Sample, Summary, Timestamp};
///
/// let at = |micros, value| Sample { time: Timestamp::from_micros(micros), value };
/// let all: Summary = [at(1, 2.0), at(2, 4.0), at(3, 9.0)].into_iter().collect();
/// let early: Summary = [at(1, 2.0), at(2, 4.0)].into_iter().collect();
/// let late: Summary = [at(3, 9.0)].into_iter().collect();
/// let merged: Summary = [late, early].iter().sum();
/// assert_eq!(merged, late + early);
/// assert_eq!(merged.mean(), Some(5.0));
/// assert_eq!(merged.first(), all.first());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    moments: Moments,
    range: Option<Range>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    min: f64,
    max: f64,
    first: Sample,
    last: Sample,
}

impl Summary {
    /// The summary of no samples.
    pub const EMPTY: Self = Self {
        moments: Moments::EMPTY,
        range: None,
    };

    /// Creates a summary from its stored parts, which are ignored if `moments` has a count of 0.
    #[must_use]
    pub fn from_parts(moments: Moments, min: f64, max: f64, first: Sample, last: Sample) -> Self {
        Self {
            moments,
            range: (moments.n > 0).then_some(Range {
                min,
                max,
                first,
                last,
            }),
        }
    }

    /// Adds one sample.
    pub fn push(&mut self, sample: Sample) {
        self.moments.push(sample.value);
        self.widen(&Range {
            min: sample.value,
            max: sample.value,
            first: sample,
            last: sample,
        });
    }

    /// Adds all samples of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.moments.merge(&other.moments);
        if let Some(range) = &other.range {
            self.widen(range);
        }
    }

    fn widen(&mut self, other: &Range) {
        let Some(range) = &mut self.range else {
            self.range = Some(*other);
            return;
        };
        if other.min.total_cmp(&range.min).is_lt() {
            range.min = other.min;
        }
        if other.max.total_cmp(&range.max).is_gt() {
            range.max = other.max;
        }
        if other.first.order(&range.first).is_lt() {
            range.first = other.first;
        }
        if other.last.order(&range.last).is_gt() {
            range.last = other.last;
        }
    }

    /// Returns the number of samples.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.moments.n
    }

    /// Returns count, sum and squared deviations.
    #[must_use]
    pub const fn moments(&self) -> Moments {
        self.moments
    }

    /// Returns the sum; `None` without samples.
    #[must_use]
    pub fn sum(&self) -> Option<f64> {
        (self.moments.n > 0).then_some(self.moments.sum)
    }

    /// Returns the arithmetic mean, clamped to the range of the samples; `None` without samples.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn mean(&self) -> Option<f64> {
        let (sum, range) = (self.sum()?, self.range?);
        Some((sum / self.moments.n as f64).max(range.min).min(range.max))
    }

    /// Returns the sample standard deviation, √(Σ(x − mean)² / (n − 1)); `None` for fewer than two
    /// samples.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn stddev(&self) -> Option<f64> {
        (self.moments.n > 1).then(|| (self.moments.m2 / (self.moments.n - 1) as f64).sqrt())
    }

    /// Returns the smallest number; `None` without samples.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        self.range.map(|r| r.min)
    }

    /// Returns the largest number; `None` without samples.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        self.range.map(|r| r.max)
    }

    /// Returns the smallest sample by (time, value); `None` without samples.
    #[must_use]
    pub fn first(&self) -> Option<Sample> {
        self.range.map(|r| r.first)
    }

    /// Returns the largest sample by (time, value); `None` without samples.
    #[must_use]
    pub fn last(&self) -> Option<Sample> {
        self.range.map(|r| r.last)
    }
}

impl Sample {
    /// Compares by (time, value).
    fn order(&self, other: &Self) -> Ordering {
        let by_time = self.time.cmp(&other.time);
        by_time.then_with(|| self.value.total_cmp(&other.value))
    }
}

impl Default for Summary {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl AddAssign<&Self> for Summary {
    fn add_assign(&mut self, other: &Self) {
        self.merge(other);
    }
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.merge(&other);
    }
}

impl Add for Summary {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self.merge(&other);
        self
    }
}

impl Sum for Summary {
    fn sum<I: Iterator<Item = Self>>(summaries: I) -> Self {
        summaries.fold(Self::EMPTY, Add::add)
    }
}

impl<'a> Sum<&'a Self> for Summary {
    fn sum<I: Iterator<Item = &'a Self>>(summaries: I) -> Self {
        summaries.copied().sum()
    }
}

impl Extend<Sample> for Summary {
    fn extend<I: IntoIterator<Item = Sample>>(&mut self, samples: I) {
        for sample in samples {
            self.push(sample);
        }
    }
}

impl FromIterator<Sample> for Summary {
    fn from_iter<I: IntoIterator<Item = Sample>>(samples: I) -> Self {
        let mut summary = Self::EMPTY;
        summary.extend(samples);
        summary
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn samples() -> impl Strategy<Value = Vec<Sample>> {
        let sample = (0..50_i64, -1e6..1e6_f64).prop_map(|(t, value)| Sample {
            time: Timestamp::from_micros(t),
            value,
        });
        prop::collection::vec(sample, 0..60)
    }

    fn close(a: Option<f64>, b: Option<f64>, scale: f64) -> bool {
        match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * scale.max(1.0),
            (a, b) => a == b,
        }
    }

    proptest! {
        #[test]
        fn any_grouping_gives_the_same_summary(all in samples(), cut in 0..60_usize) {
            let (left, right) = all.split_at(cut.min(all.len()));
            let whole: Summary = all.iter().copied().collect();
            let parts = [right, left].map(|part| part.iter().copied().collect::<Summary>());
            let merged: Summary = parts.iter().sum();
            prop_assert_eq!(merged, parts[0] + parts[1]);
            prop_assert_eq!(merged.count(), whole.count());
            prop_assert_eq!(merged.min(), whole.min());
            prop_assert_eq!(merged.max(), whole.max());
            prop_assert_eq!(merged.first(), whole.first());
            prop_assert_eq!(merged.last(), whole.last());
            prop_assert!(close(merged.sum(), whole.sum(), 1e6));
            prop_assert!(close(merged.stddev(), whole.stddev(), 1e6));
        }

        #[test]
        fn stddev_matches_its_definition(all in samples()) {
            let summary: Summary = all.iter().copied().collect();
            let n = f64::from(u32::try_from(all.len()).expect("few samples"));
            let mean = all.iter().map(|s| s.value).sum::<f64>() / n;
            let squares: f64 = all.iter().map(|s| (s.value - mean).powi(2)).sum();
            let expected = (all.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
            prop_assert!(close(summary.stddev(), expected, 1e6));
        }
    }

    #[test]
    fn merging_keeps_a_small_deviation_on_a_large_offset() {
        let at = |i: i32| Sample {
            time: Timestamp::EPOCH,
            value: 1e9 + f64::from(i % 2),
        };
        let mut merged = Summary::EMPTY;
        for i in 0..1_000 {
            merged.merge(&[at(i)].into_iter().collect());
        }
        let stddev = merged.stddev().expect("many samples");
        assert!((stddev - 0.500_250_187).abs() < 1e-6, "{stddev}");
    }

    #[test]
    fn one_sample_has_no_standard_deviation() {
        let one: Summary = [Sample {
            time: Timestamp::EPOCH,
            value: 1.0,
        }]
        .into_iter()
        .collect();
        assert_eq!(one.stddev(), None);
        assert_eq!(Summary::EMPTY.mean(), None);
    }
}
