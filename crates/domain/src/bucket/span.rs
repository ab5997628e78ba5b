//! The time span of one bucket.

use crate::Timestamp;

/// The half-open time span of one bucket. Its end always lies after its start.
///
/// Both ends are clamped to the range of [`Timestamp`]. The last instant, [`Timestamp::MAX`], is
/// the end of the last bucket and lies in no bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    start: Timestamp,
    end: Timestamp,
}

impl Bucket {
    /// The bucket of all time.
    pub(crate) const ALL: Self = Self {
        start: Timestamp::MIN,
        end: Timestamp::MAX,
    };
    /// The last instant that lies in a bucket.
    const LAST: Timestamp = Timestamp::MAX.plus_micros(-1);

    /// Returns `t`, or the last instant that lies in a bucket if that is earlier.
    pub(crate) fn clamp(t: Timestamp) -> Timestamp {
        t.min(Self::LAST)
    }

    /// Returns the bucket from `start` to `end` (µs since 1970), widened so that it contains `t`.
    ///
    /// Iterations over buckets always advance, since this holds for any `start` and `end`.
    pub(crate) fn enclosing(t: Timestamp, start: i64, end: i64) -> Self {
        let t = Self::clamp(t);
        Self {
            start: Timestamp::from_micros(start).min(t),
            end: Timestamp::from_micros(end).max(t.plus_micros(1)),
        }
    }

    /// Returns the first instant, which labels the bucket.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// Returns the first instant after the bucket.
    #[must_use]
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// Returns whether `t` lies in the bucket.
    #[must_use]
    pub fn contains(&self, t: Timestamp) -> bool {
        self.start <= t && t < self.end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_ends_after_its_start_and_contains_its_instant(t: i64, start: i64, end: i64) {
            let t = Timestamp::from_micros(t);
            let bucket = Bucket::enclosing(t, start, end);
            prop_assert!(bucket.start() < bucket.end());
            prop_assert!(bucket.contains(Bucket::clamp(t)));
        }
    }

    #[test]
    fn no_bucket_contains_the_end_of_time() {
        let last = Bucket::enclosing(Timestamp::MAX, i64::MIN, i64::MAX);
        assert_eq!(last, Bucket::ALL);
        assert!(!last.contains(Timestamp::MAX));
    }
}
