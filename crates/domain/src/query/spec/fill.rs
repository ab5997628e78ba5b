//! Filling of buckets without a point, and the lookback before the range.

use std::fmt;

use crate::Timestamp;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};

/// Filling of buckets without a point, in series that have a point somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fill {
    /// No filling: such buckets are absent.
    #[default]
    None,
    /// Null.
    Null,
    /// Zero.
    Zero,
    /// The value of the previous known bucket; null before the first.
    Previous,
    /// Linear interpolation between the starts of the neighbouring known buckets; null outside of
    /// them.
    Linear,
}

/// The length of time before the range that is searched for a known bucket.
///
/// ```
/// use time_series_domain::query::Lookback;
///
/// assert_eq!(Lookback::parse("7d").map(|l| l.to_string()), Ok("7d".to_owned()));
/// assert!(Lookback::parse("1mo").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lookback {
    number: u32,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
}

/// The text is not a fixed length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a length of time up to ten years; use a number and s, m, h, d (24 hours) or w, \
     such as 12h or 7d"
)]
pub struct LookbackError;

const MICROS_PER_SECOND: i64 = 1_000_000;
const LONGEST_SECONDS: i64 = 3_660 * 86_400;

impl Fill {
    /// All variants.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Null,
        Self::Zero,
        Self::Previous,
        Self::Linear,
    ];

    /// Returns whether figures of one bucket are used in others.
    #[must_use]
    pub const fn carries(self) -> bool {
        matches!(self, Self::Previous | Self::Linear)
    }

    /// Returns the name, as used in the query parameter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Null => "null",
            Self::Zero => "zero",
            Self::Previous => "previous",
            Self::Linear => "linear",
        }
    }
}

impl Lookback {
    /// Parses a number and a unit.
    ///
    /// # Errors
    /// [`LookbackError`], whose message describes the accepted texts.
    pub fn parse(text: &str) -> Result<Self, LookbackError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let unit = match unit.to_ascii_lowercase().as_str() {
            "s" | "sec" => Unit::Second,
            "m" | "min" if unit != "M" => Unit::Minute,
            "h" | "hour" => Unit::Hour,
            "d" | "day" => Unit::Day,
            "w" | "week" => Unit::Week,
            _ => return Err(LookbackError),
        };
        let number: u32 = number.parse().map_err(|_| LookbackError)?;
        let lookback = Self { number, unit };
        if (1..=LONGEST_SECONDS).contains(&lookback.seconds()) {
            Ok(lookback)
        } else {
            Err(LookbackError)
        }
    }

    fn seconds(self) -> i64 {
        i64::from(self.number) * self.unit.seconds()
    }

    /// Returns the instant this length before `t`.
    #[must_use]
    pub fn before(self, t: Timestamp) -> Timestamp {
        t.plus_micros(-self.seconds() * MICROS_PER_SECOND)
    }
}

impl Unit {
    const fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
        }
    }
}

impl fmt::Display for Lookback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Second => "s",
            Unit::Minute => "m",
            Unit::Hour => "h",
            Unit::Day => "d",
            Unit::Week => "w",
        };
        write!(f, "{}{unit}", self.number)
    }
}

impl Fingerprinted for Fill {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(self.name());
    }
}

impl Fingerprinted for Lookback {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        // Answers show the spelling, so that 7d and 1w differ.
        let Self { number, unit } = self;
        hasher.field("number", number).field("unit", unit);
    }
}

impl Fingerprinted for Unit {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        });
    }
}
