//! An instant in microseconds, the finest time that PostgreSQL keeps.

use std::fmt;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::fingerprint::{FingerprintHasher, Fingerprinted};

const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds in one UTC day.
pub const MICROS_PER_DAY: i64 = 86_400_000_000;

/// An instant: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// ```
/// use time_series_domain::Timestamp;
///
/// let t = Timestamp::parse_rfc3339("2025-01-01T02:00:00.5+02:00")?;
/// assert_eq!(t.to_string(), "2025-01-01T00:00:00.5Z");
/// # Ok::<(), time_series_domain::TimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a text is not an instant that can be kept exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Not RFC 3339, or without an offset.
    #[error("is not an RFC 3339 time with an offset, such as 2025-01-01T00:00:00Z")]
    NotRfc3339,
    /// More than six fractional digits that are not zeros.
    #[error("is finer than a microsecond; round it to six fractional digits")]
    TooFine,
    /// A `:60` second, which has no instant of its own.
    #[error("is a leap second (:60), which cannot be kept; send the second before or after")]
    LeapSecond,
    /// Outside the years 0001 to 9999.
    #[error("is outside the years 0001 to 9999 (UTC); use a time inside them")]
    OutOfRange,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// 0001-01-01T00:00:00Z, the first instant that can be written.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59.999999Z, the last instant that can be written.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// From microseconds since the epoch, clamped to [`Self::MIN`]..=[`Self::MAX`].
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 time exactly, or says why it cannot.
    ///
    /// # Errors
    /// [`TimestampError`]: nothing is ever rounded.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimestampError> {
        let bytes = text.as_bytes();
        if bytes.get(17..19) == Some(b"60") {
            return Err(TimestampError::LeapSecond);
        }
        if bytes.get(19) == Some(&b'.') {
            let fraction = bytes[20..].iter().take_while(|b| b.is_ascii_digit());
            if fraction.skip(6).any(|&digit| digit != b'0') {
                return Err(TimestampError::TooFine);
            }
        }
        let parsed =
            OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimestampError::NotRfc3339)?;
        let micros = parsed.unix_timestamp() * MICROS_PER_SECOND + i64::from(parsed.microsecond());
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(TimestampError::OutOfRange)
        }
    }

    /// This instant moved by `micros`, clamped to the writable range.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// This instant moved by whole 24-hour days, clamped to the writable range.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_micros(days.saturating_mul(MICROS_PER_DAY))
    }

    /// The UTC day that holds this instant.
    #[must_use]
    pub const fn utc_day(self) -> UtcDay {
        UtcDay(self.0.div_euclid(MICROS_PER_DAY))
    }

    /// As the `time` crate's type, UTC.
    ///
    /// # Panics
    /// Never: the range of `Timestamp` lies inside that of `OffsetDateTime`.
    #[must_use]
    pub fn to_offset_date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .expect("years 1 to 9999 fit OffsetDateTime")
    }
}

impl From<OffsetDateTime> for Timestamp {
    /// Anything finer than a microsecond is cut off.
    fn from(value: OffsetDateTime) -> Self {
        let micros = value.unix_timestamp_nanos().div_euclid(1_000);
        Self::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many fractional digits as are needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self
            .to_offset_date_time()
            .format(&Rfc3339)
            .map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

/// A UTC calendar day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcDay(pub i64);

impl UtcDay {
    /// The day's first instant.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(MICROS_PER_DAY))
    }

    /// The first day that starts at or after `t`.
    #[must_use]
    pub const fn ceil(t: Timestamp) -> Self {
        Self(
            t.micros().div_euclid(MICROS_PER_DAY)
                + (t.micros().rem_euclid(MICROS_PER_DAY) != 0) as i64,
        )
    }

    /// The day after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Fingerprinted for Timestamp {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self(micros) = self;
        micros.feed(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_zeros_beyond_microseconds_are_exact() {
        let t = Timestamp::parse_rfc3339("2025-01-01T00:00:00.123456000000Z");
        assert_eq!(t.map(Timestamp::micros), Ok(1_735_689_600_123_456));
    }

    #[test]
    fn nanoseconds_are_refused_not_rounded() {
        let t = Timestamp::parse_rfc3339("2025-01-01T00:00:00.1234567Z");
        assert_eq!(t, Err(TimestampError::TooFine));
    }

    #[test]
    fn a_leap_second_is_refused() {
        let t = Timestamp::parse_rfc3339("2016-12-31T23:59:60Z");
        assert_eq!(t, Err(TimestampError::LeapSecond));
    }

    #[test]
    fn a_time_without_offset_is_refused() {
        let t = Timestamp::parse_rfc3339("2025-01-01T00:00:00");
        assert_eq!(t, Err(TimestampError::NotRfc3339));
    }

    #[test]
    fn the_writable_range_prints_and_parses() {
        for t in [Timestamp::MIN, Timestamp::MAX, Timestamp::EPOCH] {
            assert_eq!(Timestamp::parse_rfc3339(&t.to_string()), Ok(t));
        }
    }

    #[test]
    fn days_before_1970_floor_downwards() {
        assert_eq!(Timestamp::from_micros(-1).utc_day(), UtcDay(-1));
        assert_eq!(UtcDay::ceil(Timestamp::from_micros(-1)), UtcDay(0));
        assert_eq!(UtcDay::ceil(Timestamp::EPOCH), UtcDay(0));
        assert_eq!(UtcDay::ceil(Timestamp::from_micros(1)), UtcDay(1));
    }
}
