//! Aggregate functions.

use std::fmt;

use super::Percent;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::ports::SummaryParts;

/// What is computed of the points of a bucket.
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
    /// How many values that are not null.
    Count,
    /// Sum.
    Sum,
    /// The least (time, value).
    First,
    /// The greatest (time, value).
    Last,
    /// Sample standard deviation; null for one value.
    Stddev,
    /// Greatest minus least value.
    Range,
    /// The 50th percentile.
    Median,
    /// A percentile, interpolated as PostgreSQL's `percentile_cont` does.
    Percentile(Percent),
    /// The most frequent value, the least of the tied; -0.0 is 0.0.
    Mode,
    /// How many different values; -0.0 is 0.0.
    Distinct,
    /// Mean weighted by time: a value holds until the next point of its session, the last one for nothing.
    TimeAvg,
}

/// The text names no function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a function; there are avg, min, max, count, sum, first, last, stddev, range, median, mode, distinct, \
     time_avg and the percentiles p0 to p100 (p99.9), with up to nine decimals"
)]
pub struct UnknownFunction;

impl AggFunction {
    /// All of them but the percentiles.
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

    /// Reads a name; case does not matter.
    ///
    /// # Errors
    /// [`UnknownFunction`], which lists them.
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

    /// Whether it can be computed of text, booleans and arrays too.
    #[must_use]
    pub const fn works_on_text(self) -> bool {
        self.counts() || self.picks_text()
    }

    /// Whether it is a number of values, 0 where there is none.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Count | Self::Distinct)
    }

    /// Whether it gives one of the values, so that it is text where they are.
    #[must_use]
    pub const fn picks_text(self) -> bool {
        matches!(self, Self::First | Self::Last | Self::Mode)
    }

    /// The part of one that a percentile lies at.
    #[must_use]
    pub fn percentile(self) -> Option<f64> {
        match self {
            Self::Median => Some(Percent::HALF.fraction()),
            Self::Percentile(percent) => Some(percent.fraction()),
            _ => None,
        }
    }

    /// Whether it needs every value, and no summary will do.
    #[must_use]
    pub const fn needs_values(self) -> bool {
        self.may_be_approximate() || self.needs_exact_values()
    }

    /// Whether a sketch of the values would do.
    #[must_use]
    pub const fn may_be_approximate(self) -> bool {
        matches!(self, Self::Median | Self::Percentile(_))
    }

    /// Whether it needs every value as it is.
    #[must_use]
    pub const fn needs_exact_values(self) -> bool {
        matches!(self, Self::Mode | Self::Distinct)
    }

    /// The parts of a summary that it needs.
    #[must_use]
    pub const fn parts(self) -> SummaryParts {
        match self {
            Self::First | Self::Last | Self::Stddev => SummaryParts::Full,
            _ => SummaryParts::Basic,
        }
    }
}

impl fmt::Display for AggFunction {
    /// Its name.
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
