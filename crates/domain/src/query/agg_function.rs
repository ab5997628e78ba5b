//! Aggregate functions.

use std::fmt;

use crate::Summary;
use crate::ports::SummaryParts;

/// What is computed of the points of a bucket.
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
}

/// The text names no function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a function; there are avg, min, max, count, sum, first, last and stddev")]
pub struct UnknownFunction;

impl AggFunction {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Avg, Self::Min, Self::Max, Self::Count, Self::Sum, Self::First, Self::Last, Self::Stddev];

    /// Reads a name; case does not matter.
    ///
    /// # Errors
    /// [`UnknownFunction`], which lists them.
    pub fn parse(text: &str) -> Result<Self, UnknownFunction> {
        let named = |f: &Self| f.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(named).ok_or(UnknownFunction)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Count => "count",
            Self::Sum => "sum",
            Self::First => "first",
            Self::Last => "last",
            Self::Stddev => "stddev",
        }
    }

    /// Whether it can be computed of text, booleans and arrays too.
    #[must_use]
    pub const fn works_on_text(self) -> bool {
        matches!(self, Self::First | Self::Last | Self::Count)
    }

    /// Its value of numbers; `None` where it has none (the spread of one value).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn of(self, summary: &Summary) -> Option<f64> {
        match self {
            Self::Avg => summary.mean(),
            Self::Min => summary.min(),
            Self::Max => summary.max(),
            Self::Count => Some(summary.count() as f64),
            Self::Sum => summary.sum(),
            Self::First => summary.first().map(|s| s.value),
            Self::Last => summary.last().map(|s| s.value),
            Self::Stddev => summary.stddev(),
        }
    }

    /// The parts of a summary that it needs.
    #[must_use]
    pub const fn parts(self) -> SummaryParts {
        match self {
            Self::Avg | Self::Min | Self::Max | Self::Count | Self::Sum => SummaryParts::Basic,
            Self::First | Self::Last | Self::Stddev => SummaryParts::Full,
        }
    }
}

impl fmt::Display for AggFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
