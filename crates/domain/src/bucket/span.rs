//! The time of one bucket.

use crate::Timestamp;

/// The half-open span of time of one bucket. Its end lies after its start, always.
///
/// Both are cut at the ends of [`Timestamp`]. The very last instant, [`Timestamp::MAX`], is the end of the last bucket and
/// lies in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    start: Timestamp,
    end: Timestamp,
}

impl Bucket {
    /// All time.
    pub(crate) const ALL: Self = Self {
        start: Timestamp::MIN,
        end: Timestamp::MAX,
    };
    /// The last instant that a bucket holds.
    const LAST: Timestamp = Timestamp::MAX.plus_micros(-1);

    /// The last instant up to `t` that a bucket holds.
    pub(crate) fn instant(t: Timestamp) -> Timestamp {
        t.min(Self::LAST)
    }

    /// The bucket between two numbers of microseconds since 1970 that holds [`Self::instant`] of `t`, whatever the
    /// numbers are: walks over buckets advance because of it.
    pub(crate) fn around(t: Timestamp, start: i64, end: i64) -> Self {
        let t = Self::instant(t);
        Self {
            start: Timestamp::from_micros(start).min(t),
            end: Timestamp::from_micros(end).max(t.plus_micros(1)),
        }
    }

    /// The first instant, which labels the bucket.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// The first instant after the bucket.
    #[must_use]
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether `t` lies in the bucket.
    #[must_use]
    pub fn holds(&self, t: Timestamp) -> bool {
        self.start <= t && t < self.end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_ends_after_its_start_and_holds_its_instant(t: i64, start: i64, end: i64) {
            let t = Timestamp::from_micros(t);
            let bucket = Bucket::around(t, start, end);
            prop_assert!(bucket.start() < bucket.end());
            prop_assert!(bucket.holds(Bucket::instant(t)));
        }
    }

    #[test]
    fn no_bucket_holds_the_end_of_time() {
        let last = Bucket::around(Timestamp::MAX, i64::MIN, i64::MAX);
        assert_eq!(last, Bucket::ALL);
        assert!(!last.holds(Timestamp::MAX));
    }
}
