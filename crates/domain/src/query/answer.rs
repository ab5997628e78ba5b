//! The answer to an aggregate query, independent of its format.

use std::sync::Arc;
use std::time::Duration;

use super::memory_budget::MemoryReservation;
use super::spec::AggFunction;
use crate::metric_type::MetricType;
use crate::{Json, SessionId, Timestamp, UserId};

/// Rows by series, and the data version that they show.
#[derive(Debug, Clone)]
pub struct AggregateAnswer {
    /// The user's version; the sum of the versions of several users.
    pub version: u64,
    /// Digest of the metric types that the answer depends on.
    pub generation: u64,
    /// The rows of each series, by series name. Series without a row are absent.
    pub series: Vec<SeriesAnswer>,
    /// Selected series that have points but cannot be aggregated by these functions.
    pub skipped: Vec<String>,
    /// Number of rows with an approximate figure, within [`super::RELATIVE_ERROR`].
    pub approximate: usize,
    /// Statistics of the execution.
    pub stats: QueryStats,
    /// The memory reserved for the rows.
    #[expect(dead_code, reason = "held until the answer is dropped")]
    pub(super) memory: Arc<MemoryReservation>,
}

impl AggregateAnswer {
    /// Returns the number of rows of all series.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.series.iter().map(|s| s.rows.len()).sum()
    }
}

/// The rows of one series.
#[derive(Debug, Clone)]
pub struct SeriesAnswer {
    /// The series.
    pub metric_type: Arc<MetricType>,
    /// The columns of each row, in order.
    pub columns: Vec<Column>,
    /// The rows, by bucket, then group.
    pub rows: Vec<BucketRow>,
    /// The figures, row by row.
    pub(super) figures: Vec<Figure>,
}

impl SeriesAnswer {
    /// Returns the bytes that the rows take.
    pub(super) fn heap_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<BucketRow>()
            + self.figures.capacity() * size_of::<Figure>()
    }

    /// Returns the figures of the row at that index, one per column.
    #[must_use]
    pub fn figures(&self, row: usize) -> &[Figure] {
        let width = self.columns.len();
        self.figures
            .get(row * width..(row + 1) * width)
            .unwrap_or_default()
    }

    /// Returns whether the figures of a column are text and not numbers.
    #[must_use]
    pub fn is_text(&self, column: &Column) -> bool {
        let picks = column.function.picks_text() && column.over.is_none_or(AggFunction::picks_text);
        self.metric_type.channels.is_empty() && picks
    }
}

/// The function and channel of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Column {
    /// The function of the points of a bucket.
    pub function: AggFunction,
    /// The function of the values of the groups of a bucket.
    pub over: Option<AggFunction>,
    /// The index of the channel; 0 for a series without channels.
    pub channel: usize,
}

impl Column {
    /// Returns whether the figures are counts.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.over.unwrap_or(self.function).counts()
    }
}

/// One bucket of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketRow {
    /// The bucket's start on the query's axis.
    pub bucket: Timestamp,
    /// The group; empty if the query does not group.
    pub group: Group,
}

/// A group of points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The user, if the query groups by user or session.
    pub user: Option<UserId>,
    /// The session, if the query groups by session.
    pub session: Option<SessionId>,
}

/// One value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// The bucket has no value of the leaf.
    Absent,
    /// The function has no value, such as the standard deviation of one number.
    Null,
    /// A count.
    Count(u64),
    /// A number.
    Number(f64),
    /// A value of a series without numbers.
    Text(Box<Json>),
}

impl Figure {
    /// Returns a number, or null.
    #[must_use]
    pub fn of(number: Option<f64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }

    /// Returns the figure as a number, if it is one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub const fn number(&self) -> Option<f64> {
        match self {
            Self::Count(n) => Some(*n as f64),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// Statistics of the execution of a query.
#[derive(Debug, Clone, Copy, Default)]
pub struct QueryStats {
    /// Windows of whole days that day summaries answered.
    pub windows: usize,
    /// Merged day summaries that were read.
    pub day_rows: u64,
    /// Time ranges in which blocks were read.
    pub ranges: usize,
    /// Blocks of which only the summaries were read.
    pub block_summaries: u64,
    /// Blocks of which the arrays were read.
    pub block_arrays: u64,
    /// Points in those arrays.
    pub points: u64,
    /// Time taken to plan.
    pub plan: Duration,
    /// Time spent waiting for the store.
    pub read: Duration,
    /// Time taken to fold rows into buckets.
    pub fold: Duration,
    /// Time taken to compute the rows of the answer.
    pub finish: Duration,
}
