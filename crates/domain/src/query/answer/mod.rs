//! The answer of an aggregate query, before it takes a format.

mod fill_gaps;
mod finish;
mod over;

use std::sync::Arc;
use std::time::Duration;

pub(super) use fill_gaps::Gaps;
pub(super) use finish::{Finished, finish};
pub(super) use over::over;

use super::ask::AggFunction;
use super::memory_budget::MemoryReservation;
use crate::metric_type::MetricType;
use crate::{Json, SessionId, Timestamp, UserId};

/// Rows by series, and the moment that they show.
#[derive(Debug, Clone)]
pub struct AggregateAnswer {
    /// The user's version; of several users the sum.
    pub version: u64,
    /// Digest of the metric types that the answer depends on.
    pub generation: u64,
    /// By series name; series without a row are absent.
    pub series: Vec<SeriesAnswer>,
    /// Series that were selected but cannot be aggregated so.
    pub skipped: Vec<String>,
    /// How many figures are approximate, within [`super::RELATIVE_ERROR`].
    pub approximate: usize,
    /// What was done for it.
    pub work: Work,
    /// The memory of its rows.
    #[expect(dead_code, reason = "held until the answer is dropped")]
    pub(super) memory: Arc<MemoryReservation>,
}

impl AggregateAnswer {
    /// How many rows there are.
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
    /// What each figure of a row is, in order.
    pub columns: Vec<Column>,
    /// By bucket, then group.
    pub rows: Vec<BucketRow>,
    /// Row by row.
    figures: Vec<Figure>,
}

impl SeriesAnswer {
    /// Bytes that its rows take.
    pub(super) fn heap_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<BucketRow>()
            + self.figures.capacity() * size_of::<Figure>()
    }

    /// The figures of the row at that place, one a column.
    #[must_use]
    pub fn figures(&self, row: usize) -> &[Figure] {
        let width = self.columns.len();
        self.figures
            .get(row * width..(row + 1) * width)
            .unwrap_or_default()
    }

    /// Whether the figures of a column are text and not numbers.
    #[must_use]
    pub fn is_text(&self, column: &Column) -> bool {
        let picks = column.function.picks_text() && column.over.is_none_or(AggFunction::picks_text);
        self.metric_type.channels.is_empty() && picks
    }
}

/// What a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Column {
    /// What was computed of points.
    pub function: AggFunction,
    /// What was computed of the values of groups.
    pub over: Option<AggFunction>,
    /// Which channel it is of; 0 for a series without channels.
    pub channel: usize,
}

impl Column {
    /// Whether its figures say how many.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.over.unwrap_or(self.function).counts()
    }
}

/// One bucket, of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketRow {
    /// The bucket's start on the query's axis.
    pub bucket: Timestamp,
    /// Whose it is, if groups were told apart.
    pub group: Group,
}

/// Who or what was told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The user, when users or sessions are told apart.
    pub user: Option<UserId>,
    /// The session, when sessions are told apart.
    pub session: Option<SessionId>,
}

/// One value of the answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// The leaf has nothing in the bucket.
    Absent,
    /// It has no value, such as the spread of one number.
    Null,
    /// How many.
    Count(u64),
    /// How much.
    Number(f64),
    /// One of the values of a series without numbers.
    Text(Box<Json>),
}

impl Figure {
    /// A number, or null.
    #[must_use]
    pub fn of(number: Option<f64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }

    /// As a number, if it is one.
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

/// What was read and how long it took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Work {
    /// Runs of whole days that day summaries answered.
    pub windows: usize,
    /// Merged day summaries that were read.
    pub day_rows: u64,
    /// Stretches of time in which blocks were looked at.
    pub stretches: usize,
    /// Blocks of which the summaries were enough.
    pub block_summaries: u64,
    /// Blocks of which the arrays were read.
    pub block_arrays: u64,
    /// Points in those arrays.
    pub points: u64,
    /// Choosing what to read.
    pub plan: Duration,
    /// Waiting for the store.
    pub read: Duration,
    /// Folding what was read into buckets.
    pub fold: Duration,
    /// Making rows of buckets.
    pub finish: Duration,
}
