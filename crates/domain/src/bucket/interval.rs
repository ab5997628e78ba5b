//! Bucket lengths.

use std::fmt;
use std::str::FromStr;

use crate::fingerprint::{FingerprintHasher, Fingerprinted};

/// A bucket length. Seconds to hours are elapsed time since each local midnight; days and longer
/// units are calendar steps.
///
/// ```
/// use time_series_domain::Interval;
///
/// assert_eq!(Interval::parse("15m"), Interval::parse("15min"));
/// assert_eq!("quarter".parse::<Interval>()?.to_string(), "3mo");
/// # Ok::<(), time_series_domain::bucket::IntervalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interval {
    /// Elapsed seconds since each local midnight; 1 to 86,400.
    Seconds(u32),
    /// Local days, counted from 1970-01-01.
    Days(u32),
    /// Local weeks, counted from the week that contains 1970-01-01.
    Weeks(u32),
    /// Calendar months, counted from January 1970; a year is twelve.
    Months(u32),
    /// One bucket for the whole range.
    All,
}

/// The text is not an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntervalError {
    /// Neither a known word nor a number with a unit.
    #[error(
        "is not an interval; use min, hour, day, week, month, quarter, year, all, \
         or a multiple such as 15m, 6h, 2w, 3mo"
    )]
    Unknown,
    /// A multiple of zero, or longer than a thousand years.
    #[error("must be a multiple from 1 up to a thousand years")]
    OutOfRange,
    /// Hours or shorter units that exceed one day.
    #[error(
        "is longer than a day, but hours, minutes and seconds restart at each midnight; \
         use days (2d)"
    )]
    LongerThanADay,
}

const THOUSAND_YEARS_IN_DAYS: u32 = 365_250;

impl Interval {
    /// Parses a word (`week`), a short form (`15m`, `2w`, `3mo`), or `all`.
    ///
    /// Case is ignored, except that `M` is rejected as ambiguous: `m` is minutes, `mo` is months.
    ///
    /// # Errors
    /// [`IntervalError`], which names the accepted forms.
    pub fn parse(text: &str) -> Result<Self, IntervalError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let multiple = match number {
            "" => 1,
            number => number
                .parse::<u32>()
                .map_err(|_| IntervalError::OutOfRange)?,
        };
        let unit = if unit == "M" {
            return Err(IntervalError::Unknown);
        } else {
            unit.to_ascii_lowercase()
        };
        let has_number = !number.is_empty();
        let seconds = |unit_seconds: u32| {
            let total = multiple
                .checked_mul(unit_seconds)
                .ok_or(IntervalError::LongerThanADay)?;
            match total {
                0 => Err(IntervalError::OutOfRange),
                1..=86_400 => Ok(Self::Seconds(total)),
                _ => Err(IntervalError::LongerThanADay),
            }
        };
        let calendar = |per: u32, longest: u32, make: fn(u32) -> Self| {
            let total = multiple.checked_mul(per).ok_or(IntervalError::OutOfRange)?;
            if (1..=longest).contains(&total) {
                Ok(make(total))
            } else {
                Err(IntervalError::OutOfRange)
            }
        };
        match unit.as_str() {
            "s" | "sec" | "second" | "seconds" => seconds(1),
            "m" | "min" | "minute" | "minutes" => seconds(60),
            "h" | "hour" | "hours" => seconds(3_600),
            "d" | "day" | "days" => calendar(1, THOUSAND_YEARS_IN_DAYS, Self::Days),
            "w" | "week" | "weeks" => calendar(1, THOUSAND_YEARS_IN_DAYS / 7, Self::Weeks),
            "mo" | "month" | "months" => calendar(1, 12_000, Self::Months),
            "q" | "quarter" | "quarters" => calendar(3, 12_000, Self::Months),
            "y" | "year" | "years" => calendar(12, 12_000, Self::Months),
            "all" if !has_number => Ok(Self::All),
            _ => Err(IntervalError::Unknown),
        }
    }
}

impl fmt::Display for Interval {
    /// The short form, which parses to the same interval.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(n) if n % 3_600 == 0 => write!(f, "{}h", n / 3_600),
            Self::Seconds(n) if n % 60 == 0 => write!(f, "{}m", n / 60),
            Self::Seconds(n) => write!(f, "{n}s"),
            Self::Days(n) => write!(f, "{n}d"),
            Self::Weeks(n) => write!(f, "{n}w"),
            Self::Months(n) if n % 12 == 0 => write!(f, "{}y", n / 12),
            Self::Months(n) => write!(f, "{n}mo"),
            Self::All => f.write_str("all"),
        }
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    /// Parses as [`Interval::parse`] does.
    fn from_str(text: &str) -> Result<Self, IntervalError> {
        Self::parse(text)
    }
}

impl Fingerprinted for Interval {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        match self {
            Self::Seconds(n) => hasher.variant("seconds").field("n", n),
            Self::Days(n) => hasher.variant("days").field("n", n),
            Self::Weeks(n) => hasher.variant("weeks").field("n", n),
            Self::Months(n) => hasher.variant("months").field("n", n),
            Self::All => hasher.variant("all"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_agree() {
        for (long, short) in [
            ("min", "1m"),
            ("minute", "60s"),
            ("hour", "1h"),
            ("year", "12mo"),
            ("quarter", "3mo"),
        ] {
            assert_eq!(
                Interval::parse(long),
                Interval::parse(short),
                "{long} {short}"
            );
        }
    }

    #[test]
    fn display_parses_to_the_same_interval() {
        for text in ["30s", "15m", "7h", "24h", "1d", "2w", "3mo", "10y", "all"] {
            let interval = Interval::parse(text).expect(text);
            assert_eq!(interval.to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        assert_eq!(Interval::parse("fortnight"), Err(IntervalError::Unknown));
        assert_eq!(Interval::parse("1M"), Err(IntervalError::Unknown));
        assert_eq!(Interval::parse(""), Err(IntervalError::Unknown));
        assert_eq!(Interval::parse("0d"), Err(IntervalError::OutOfRange));
        assert_eq!(Interval::parse("25h"), Err(IntervalError::LongerThanADay));
        assert_eq!(
            Interval::parse("99999999999d"),
            Err(IntervalError::OutOfRange)
        );
        assert_eq!(Interval::parse("-1d"), Err(IntervalError::Unknown));
    }
}
