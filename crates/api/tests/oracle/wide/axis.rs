//! What buckets lie along: a calendar, the time since a session began, or nothing.

use crate::calendar::{Calendar, SECOND, Step, date_of, day_number};

/// Where a point is put, and which buckets there are.
pub(crate) enum Axis {
    Calendar(Calendar),
    /// Microseconds since the session's anchor, in steps of so many.
    Offset(i64),
    /// One bucket, labelled with the start of the range.
    Whole,
}

impl Axis {
    /// The start of the bucket that holds a place.
    pub(crate) fn bucket(&self, at: i64, range_start: i64) -> i64 {
        match self {
            Self::Calendar(calendar) => calendar.bucket(at, range_start),
            Self::Offset(step) => at.div_euclid(*step) * step,
            Self::Whole => range_start,
        }
    }

    /// Where the bucket that begins there ends.
    pub(crate) fn end_of(&self, bucket: i64) -> i64 {
        match self {
            Self::Calendar(calendar) => end_of(calendar, bucket),
            Self::Offset(step) => bucket + step,
            Self::Whole => i64::MAX,
        }
    }

    /// The starts of all buckets that [start, end) touches.
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
            (bucket + seconds * SECOND).min(midnights.next().expect("a day after"))
        }
        // The first day to begin a bucket ends the one before.
        _ => midnights
            .find(|at| calendar.bucket(*at, 0) == *at)
            .expect("a bucket after"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{DAY, INTERVALS, ZONES, zone};
    use crate::metrics::Dice;

    #[test]
    fn buckets_follow_each_other_without_gaps() {
        let mut dice = Dice::new(7);
        for name in ZONES {
            for (_, step) in INTERVALS {
                let week_start = dice.below(7) as usize;
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
                let at = near[dice.below(near.len() as u64) as usize]
                    + dice.below(200_000_000_000) as i64
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
