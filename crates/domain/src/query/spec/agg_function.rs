//! Aggregate functions.

use std::fmt;

use super::Percent;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::ports::SummaryParts;

/// A function of the points of a bucket.
///
/// ```
/// use time_series_domain::query::AggFunction;
///
/// assert_eq!(AggFunction::parse("P99.90").map(|f| f.to_string()), Ok("p99.9".to_owned()));
/// assert!(AggFunction::parse("p101").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AggFunction {
    /// Arithmetic mean.
    Avg,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Number of values that are not null.
    Count,
    /// Sum.
    Sum,
    /// Value of the least (time, value).
    First,
    /// Value of the greatest (time, value).
    Last,
    /// Sample standard deviation; null for one value.
    Stddev,
    /// Greatest minus least value.
    Range,
    /// 50th percentile.
    Median,
    /// Percentile, interpolated as PostgreSQL's `percentile_cont` does.
    Percentile(Percent),
    /// Most frequent value; of several, the least. -0.0 equals 0.0.
    Mode,
    /// Number of different values. -0.0 equals 0.0.
    Distinct,
    /// Mean weighted by time: a value is in effect until the next point of its session; the last
    /// value has no weight.
    TimeAvg,
}

/// The text does not name a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a function; there are avg, min, max, count, sum, first, last, stddev, range, median, \
     mode, distinct, time_avg and the percentiles p0 to p100 (p99.9), with up to nine decimals"
)]
pub struct UnknownFunction;

impl AggFunction {
    /// All functions except the percentiles.
    pub const NAMED: [Self; 13] = [
        Self::Avg,
        Self::Min,
        Self::Max,
        Self::Count,
        Self::Sum,
        Self::First,
        Self::Last,
        Self::Stddev,
        Self::Range,
        Self::Median,
        Self::Mode,
        Self::Distinct,
        Self::TimeAvg,
    ];

    /// Parses the name of a function, in any case.
    ///
    /// # Errors
    /// [`UnknownFunction`], whose message lists the functions.
    pub fn parse(text: &str) -> Result<Self, UnknownFunction> {
        let text = text.to_ascii_lowercase();
        if let Some(percent) = text.strip_prefix('p').and_then(Percent::parse) {
            return Ok(Self::Percentile(percent));
        }
        Self::NAMED
            .into_iter()
            .find(|f| f.to_string() == text)
            .ok_or(UnknownFunction)
    }

    /// Returns whether the function also accepts text, booleans and arrays.
    #[must_use]
    pub const fn works_on_text(self) -> bool {
        self.counts() || self.picks_text()
    }

    /// Returns whether the function is a count, which is 0 if there is no value.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Count | Self::Distinct)
    }

    /// Returns whether the function returns one of the values, and therefore text for text.
    #[must_use]
    pub const fn picks_text(self) -> bool {
        matches!(self, Self::First | Self::Last | Self::Mode)
    }

    /// Returns the fraction of a percentile, from 0 to 1.
    #[must_use]
    pub fn percentile(self) -> Option<f64> {
        match self {
            Self::Median => Some(Percent::HALF.fraction()),
            Self::Percentile(percent) => Some(percent.fraction()),
            _ => None,
        }
    }

    /// Returns whether the function needs every value, and not only summaries.
    #[must_use]
    pub const fn needs_values(self) -> bool {
        self.may_be_approximate() || self.needs_exact_values()
    }

    /// Returns whether a sketch of the values suffices.
    #[must_use]
    pub const fn may_be_approximate(self) -> bool {
        matches!(self, Self::Median | Self::Percentile(_))
    }

    /// Returns whether the function needs every exact value.
    #[must_use]
    pub const fn needs_exact_values(self) -> bool {
        matches!(self, Self::Mode | Self::Distinct)
    }

    /// Returns the parts of a summary that the function needs.
    #[must_use]
    pub const fn parts(self) -> SummaryParts {
        match self {
            Self::First | Self::Last | Self::Stddev => SummaryParts::Full,
            _ => SummaryParts::Basic,
        }
    }
}

impl fmt::Display for AggFunction {
    /// Writes the name of the function.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Count => "count",
            Self::Sum => "sum",
            Self::First => "first",
            Self::Last => "last",
            Self::Stddev => "stddev",
            Self::Range => "range",
            Self::Median => "median",
            Self::Percentile(percent) => return write!(f, "p{percent}"),
            Self::Mode => "mode",
            Self::Distinct => "distinct",
            Self::TimeAvg => "time_avg",
        })
    }
}

impl Fingerprinted for AggFunction {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let name = match self {
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Count => "count",
            Self::Sum => "sum",
            Self::First => "first",
            Self::Last => "last",
            Self::Stddev => "stddev",
            Self::Range => "range",
            Self::Median => "median",
            Self::Percentile(percent) => {
                hasher.variant("percentile").field("percent", percent);
                return;
            }
            Self::Mode => "mode",
            Self::Distinct => "distinct",
            Self::TimeAvg => "time_avg",
        };
        hasher.variant(name);
    }
}
