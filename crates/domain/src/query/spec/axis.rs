//! The axis that buckets lie on: the calendar, or the time since each session's start.

use std::fmt;

use crate::bucket::{Bucket, Interval};
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::{Calendar, Timestamp};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The axis of buckets.
#[derive(Debug, Clone)]
pub enum Axis {
    /// The calendar of a time zone.
    Calendar(Calendar),
    /// The time since each session's start; instants are microseconds after the start.
    SinceStart(Offsets),
}

/// Buckets of equal length before and after a session's start.
///
/// ```
/// use time_series_domain::query::Offsets;
/// use time_series_domain::{Interval, Timestamp};
///
/// let offsets = Offsets::new(Interval::parse("30m")?).expect("half hours are steps");
/// let bucket = offsets.bucket(Timestamp::from_micros(-1)).start();
/// assert_eq!(Offsets::label(bucket), "-PT30M");
/// # Ok::<(), time_series_domain::bucket::IntervalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    step: i64,
}

impl Offsets {
    /// Returns steps of seconds, minutes or hours; `None` for a calendar interval.
    #[must_use]
    pub fn new(interval: Interval) -> Option<Self> {
        match interval {
            // A step of zero would not advance. Parsing never returns one.
            Interval::Seconds(seconds) => Some(Self {
                step: i64::from(seconds.max(1)) * MICROS_PER_SECOND,
            }),
            _ => None,
        }
    }

    /// Returns the step that contains an offset.
    #[must_use]
    pub fn bucket(self, offset: Timestamp) -> Bucket {
        let start = self.number(offset) * self.step;
        Bucket::enclosing(offset, start, start + self.step)
    }

    /// Returns the starts of the steps from the one that contains `first` to the one that contains
    /// `last`.
    pub(in crate::query) fn starts(
        self,
        first: Timestamp,
        last: Timestamp,
    ) -> impl Iterator<Item = Timestamp> {
        (self.number(first)..=self.number(last))
            .map(move |number| Timestamp::from_micros(number * self.step))
    }

    /// Returns the number of [`Self::starts`].
    pub(in crate::query) fn count(self, first: Timestamp, last: Timestamp) -> usize {
        usize::try_from(self.number(last) - self.number(first) + 1).unwrap_or(0)
    }

    /// Returns the number of the step that contains an offset, counted from the session's start.
    fn number(self, offset: Timestamp) -> i64 {
        Bucket::clamp(offset).micros().div_euclid(self.step)
    }

    /// Formats an offset as an ISO 8601 duration in hours, minutes and seconds; negative before the
    /// start.
    #[must_use]
    pub fn label(offset: Timestamp) -> String {
        Duration(offset.micros()).to_string()
    }
}

/// Microseconds that are formatted as an ISO 8601 duration.
struct Duration(i64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.unsigned_abs();
        let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        f.write_str(if self.0 < 0 { "-PT" } else { "PT" })?;
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}M")?;
        }
        if fraction > 0 {
            let fraction = format!("{fraction:06}");
            write!(f, "{seconds}.{}S", fraction.trim_end_matches('0'))?;
        } else if seconds > 0 || (hours == 0 && minutes == 0) {
            write!(f, "{seconds}S")?;
        }
        Ok(())
    }
}

impl Axis {
    /// Returns the bucket that contains an instant of this axis.
    #[must_use]
    pub fn bucket(&self, at: Timestamp) -> Bucket {
        match self {
            Self::Calendar(calendar) => calendar.bucket(at),
            Self::SinceStart(offsets) => offsets.bucket(at),
        }
    }

    /// Returns the calendar, if this is one.
    #[must_use]
    pub const fn calendar(&self) -> Option<&Calendar> {
        match self {
            Self::Calendar(calendar) => Some(calendar),
            Self::SinceStart(_) => None,
        }
    }

    /// Formats the start of a bucket: RFC 3339, or an ISO 8601 duration.
    #[must_use]
    pub fn label(&self, start: Timestamp) -> String {
        match self {
            Self::Calendar(calendar) => calendar.label(start),
            Self::SinceStart(_) => Offsets::label(start),
        }
    }
}

impl Fingerprinted for Axis {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        match self {
            Self::Calendar(calendar) => hasher.variant("calendar").field("calendar", calendar),
            Self::SinceStart(offsets) => hasher.variant("since start").field("offsets", offsets),
        };
    }
}

impl Fingerprinted for Offsets {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self { step } = self;
        hasher.field("step", step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_omit_zero_components() {
        let text = |seconds: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
            let micros = (seconds * 1e6) as i64;
            Offsets::label(Timestamp::from_micros(micros))
        };
        assert_eq!(text(0.0), "PT0S");
        assert_eq!(text(5_400.0), "PT1H30M");
        assert_eq!(text(-300.0), "-PT5M");
        assert_eq!(text(1.5), "PT1.5S");
        assert_eq!(text(90_061.0), "PT25H1M1S");
    }
}
