//! The axis of buckets: a calendar, offsets along sessions, or a single bucket.

use crate::fixture::calendar::{Calendar, SECOND, Step, date_of, day_number};

pub(crate) enum Axis {
    Calendar(Calendar),
    /// Offsets from the origin of a session, in buckets of a length in microseconds.
    Offset(i64),
    /// A single bucket, labelled with the start of the range.
    Whole,
}

impl Axis {
    /// Returns the start of the bucket of a position.
    pub(crate) fn bucket(&self, position: i64, range_start: i64) -> i64 {
        match self {
            Self::Calendar(calendar) => calendar.bucket(position, range_start),
            Self::Offset(length) => position.div_euclid(*length) * length,
            Self::Whole => range_start,
        }
    }

    /// Returns the end of the bucket that starts at a position.
    pub(crate) fn end_of(&self, bucket: i64) -> i64 {
        match self {
            Self::Calendar(calendar) => end_of(calendar, bucket),
            Self::Offset(length) => bucket + length,
            Self::Whole => i64::MAX,
        }
    }

    /// Returns the starts of all buckets that intersect `start..end`.
    pub(crate) fn buckets(&self, start: i64, end: i64) -> Vec<i64> {
        let first = self.bucket(start, start);
        std::iter::successors(Some(first), |bucket| Some(self.end_of(*bucket)))
            .take_while(|at| *at < end)
            .collect()
    }
}

fn end_of(calendar: &Calendar, bucket: i64) -> i64 {
    if calendar.step == Step::All {
        return i64::MAX;
    }
    let day = day_number(calendar.day_of(bucket));
    let mut midnights = (1..)
        .map(|by| calendar.midnight(date_of(day + by)))
        .filter(|at| *at > bucket);
    match calendar.step {
        Step::Elapsed(seconds) => {
            (bucket + seconds * SECOND).min(midnights.next().expect("a later day"))
        }
        // The next day that starts a bucket ends this one.
        _ => midnights
            .find(|at| calendar.bucket(*at, 0) == *at)
            .expect("a later bucket"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::calendar::{DAY, INTERVALS, Interval, ZONES, zone};
    use crate::fixture::random::SeededRng;

    #[test]
    fn buckets_are_contiguous() {
        let mut rng = SeededRng::new(7);
        for name in ZONES {
            for Interval { step, .. } in INTERVALS {
                let week_start = rng.below(7) as usize;
                let calendar = Calendar {
                    zone: zone(name),
                    step,
                    week_start,
                };
                let transitions = calendar.transitions();
                let near = if transitions.is_empty() {
                    &[DAY * 9_000]
                } else {
                    transitions.as_slice()
                };
                let at = near[rng.below(near.len() as u64) as usize]
                    + rng.below(200_000_000_000) as i64
                    - 100_000_000_000;
                let axis = Axis::Calendar(calendar);
                let bucket = axis.bucket(at, at);
                let end = axis.end_of(bucket);
                assert!(
                    bucket <= at && at < end,
                    "{name} {step:?} {at}: {bucket}..{end}"
                );
                if step != Step::All {
                    assert_eq!(axis.bucket(end - 1, 0), bucket, "{name} {step:?} {at}");
                    assert_eq!(axis.bucket(end, 0), end, "{name} {step:?} {at}");
                }
            }
        }
    }
}
