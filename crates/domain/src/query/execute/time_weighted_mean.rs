//! Accumulator of a mean weighted by time.

use crate::Timestamp;
use crate::bucket::Bucket;

/// Sum of values times the microseconds that each was in effect, and the sum of the microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::query) struct TimeWeightedMean {
    integral: f64,
    micros: f64,
    /// The least and the greatest value, if one was in effect.
    bounds: Option<(f64, f64)>,
}

/// The values that were in effect throughout one bucket.
pub(super) struct WholeBucket {
    pub(super) bucket: Bucket,
    /// The sum of the values.
    pub(super) sum: f64,
    /// The least value.
    pub(super) least: f64,
    /// The greatest value.
    pub(super) most: f64,
    /// The number of values.
    pub(super) count: u32,
}

impl TimeWeightedMean {
    /// Returns whether no value was in effect.
    pub(in crate::query) fn is_empty(self) -> bool {
        self.bounds.is_none()
    }

    /// Adds values that were in effect throughout the bucket.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a hundred years of microseconds are below 2^53"
    )]
    pub(super) fn add_whole_bucket(&mut self, whole: &WholeBucket) {
        let micros = (whole.bucket.end().micros() - whole.bucket.start().micros()) as f64;
        self.integral += whole.sum * micros;
        self.micros += f64::from(whole.count) * micros;
        self.bound(whole.least, whole.most);
    }

    /// Adds a value that was in effect for a part of the bucket.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a hundred years of microseconds are below 2^53"
    )]
    pub(super) fn add(&mut self, value: f64, from: Timestamp, until: Timestamp) {
        let micros = (until.micros() - from.micros()) as f64;
        if micros <= 0.0 {
            return;
        }
        self.integral += value * micros;
        self.micros += micros;
        self.bound(value, value);
    }

    /// Returns the mean, clamped to the range of the values; `None` if no value was in effect.
    pub(super) fn mean(self) -> Option<f64> {
        let (least, most) = self.bounds?;
        Some((self.integral / self.micros).max(least).min(most))
    }

    fn bound(&mut self, least: f64, most: f64) {
        let (known_least, known_most) = self.bounds.unwrap_or((least, most));
        self.bounds = Some((least.min(known_least), most.max(known_most)));
    }
}
