//! Instants and UTC days, in microseconds: the resolution of PostgreSQL's `timestamptz`.

mod convert;
mod utc_day;

use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use utc_day::UtcDay;

use crate::fingerprint::{FingerprintHasher, Fingerprinted};

const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds in one UTC day.
pub const MICROS_PER_DAY: i64 = 86_400_000_000;

/// An instant: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// ```
/// use time_series_domain::Timestamp;
///
/// let t: Timestamp = "2025-01-01T02:00:00.5+02:00".parse()?;
/// assert_eq!(t.to_string(), "2025-01-01T00:00:00.5Z");
/// # Ok::<(), time_series_domain::TimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text or instant cannot be represented exactly as a [`Timestamp`].
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
    /// 0001-01-01T00:00:00Z, the start of the supported range.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59.999999Z, the end of the supported range.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// Returns the instant `micros` µs after the epoch, clamped to [`Self::MIN`]..=[`Self::MAX`].
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

    /// Returns the microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Parses an RFC 3339 time with an offset.
    ///
    /// # Errors
    /// [`TimestampError`]; no time is ever rounded.
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
        Self::try_from_micros(micros)
    }

    fn try_from_micros(micros: i64) -> Result<Self, TimestampError> {
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(TimestampError::OutOfRange)
        }
    }

    /// Returns the instant moved by `micros` µs, clamped to [`Self::MIN`]..=[`Self::MAX`].
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// Returns the instant moved by 24-hour days, clamped to [`Self::MIN`]..=[`Self::MAX`].
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_micros(days.saturating_mul(MICROS_PER_DAY))
    }

    /// Returns the UTC day that contains the instant.
    #[must_use]
    pub const fn utc_day(self) -> UtcDay {
        UtcDay(self.0.div_euclid(MICROS_PER_DAY))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, without trailing zeros in the fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self
            .to_offset_date_time()
            .format(&Rfc3339)
            .map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Parses as [`Timestamp::parse_rfc3339`] does.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        Self::parse_rfc3339(text)
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
    fn nanoseconds_are_rejected_not_rounded() {
        let t = Timestamp::parse_rfc3339("2025-01-01T00:00:00.1234567Z");
        assert_eq!(t, Err(TimestampError::TooFine));
    }

    #[test]
    fn a_leap_second_is_rejected() {
        let t = Timestamp::parse_rfc3339("2016-12-31T23:59:60Z");
        assert_eq!(t, Err(TimestampError::LeapSecond));
    }

    #[test]
    fn a_time_without_offset_is_rejected() {
        let t = Timestamp::parse_rfc3339("2025-01-01T00:00:00");
        assert_eq!(t, Err(TimestampError::NotRfc3339));
    }

    #[test]
    fn the_whole_range_prints_and_parses() {
        for t in [Timestamp::MIN, Timestamp::MAX, Timestamp::EPOCH] {
            assert_eq!(Timestamp::parse_rfc3339(&t.to_string()), Ok(t));
        }
    }
}
