//! The rank of a percentile, in percent.

use std::fmt;

use crate::fingerprint::{FingerprintHasher, Fingerprinted};

/// Units per percent, so that every accepted decimal is exact.
const UNITS: u64 = 1_000_000_000;
const DECIMALS: usize = 9;

/// A percentage from 0 to 100 with up to nine decimals.
///
/// ```
/// use time_series_domain::query::Percent;
///
/// assert_eq!(Percent::parse("99.90").map(|p| p.to_string()), Some("99.9".to_owned()));
/// assert_eq!(Percent::parse("99.9").map(Percent::fraction), Some(0.999));
/// assert_eq!(Percent::parse("101"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u64);

impl Percent {
    /// The percentage of the median.
    pub const HALF: Self = Self(50 * UNITS);

    /// Parses a plain decimal of at most 100 with at most nine decimals; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > DECIMALS {
            return None;
        }
        let decimals: u64 = format!("{decimals:0<DECIMALS$}").parse().ok()?;
        let units = whole.parse::<u64>().ok()? * UNITS + decimals;
        (units <= 100 * UNITS).then_some(Self(units))
    }

    /// Returns the percentage as a fraction: the nearest double, as a database parses `0.999`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "units are far below 2^53")]
    pub fn fraction(self) -> f64 {
        self.0 as f64 / (100 * UNITS) as f64
    }
}

impl fmt::Display for Percent {
    /// Writes the percentage without trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.0 / UNITS, self.0 % UNITS);
        if decimals == 0 {
            return write!(f, "{whole}");
        }
        let decimals = format!("{decimals:0>DECIMALS$}");
        write!(f, "{whole}.{}", decimals.trim_end_matches('0'))
    }
}

impl Fingerprinted for Percent {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self(units) = self;
        units.feed(hasher);
    }
}
