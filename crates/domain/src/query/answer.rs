//! The answer of an aggregate query, before it takes a format.

use std::sync::Arc;

use crate::metric_type::MetricType;
use crate::{Json, SessionId, Summary, Timestamp};

/// Rows by series, and the moment that they show.
#[derive(Debug, Clone)]
pub struct AggregateAnswer {
    /// The user's version.
    pub version: u64,
    /// By series name; series without a point in the range are absent.
    pub series: Vec<SeriesAnswer>,
    /// Series that a pattern selected but that have no numbers to aggregate.
    pub skipped: Vec<String>,
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
    /// By bucket.
    pub rows: Vec<BucketRow>,
}

/// One bucket that has a value.
#[derive(Debug, Clone, PartialEq)]
pub struct BucketRow {
    /// The bucket's start.
    pub bucket: Timestamp,
    /// What is known of its points.
    pub cell: Cell,
}

/// What is known of the points of a series in a bucket.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// By channel; a channel without a number has an empty summary.
    Numbers(Vec<Summary>),
    /// Of a series without channels.
    Text(Box<TextSummary>),
}

/// Count, first and last of values that are no numbers; nulls do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSummary {
    /// How many values.
    pub count: u64,
    /// The first by (time, session, arrival).
    pub first: TextSample,
    /// The last by (time, session, arrival).
    pub last: TextSample,
}

/// A value and what orders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSample {
    /// Time, session, number of the block in the session, place in the block.
    pub order: (Timestamp, SessionId, u32, usize),
    /// The value.
    pub value: Json,
}

impl TextSummary {
    /// Of one value.
    #[must_use]
    pub fn of(sample: TextSample) -> Self {
        Self { count: 1, first: sample.clone(), last: sample }
    }

    /// Adds a value.
    pub fn push(&mut self, sample: TextSample) {
        self.count += 1;
        if sample.order < self.first.order {
            self.first = sample;
        } else if sample.order > self.last.order {
            self.last = sample;
        }
    }
}
