//! Levels of precomputation, and the choice of the coarsest one that is exact.

use std::ops::Range;

use crate::Timestamp;
use crate::bucket::DaySplit;
use crate::ports::Arrays;
use crate::query::spec::{AggFunction, AggregateSpec, Axis, GroupBy};

/// Maximum bucket edges per scan. With more, checking each block against them costs more than
/// reading its arrays.
const MAX_EDGES: usize = 10_000;

/// The coarsest level that answers a query exactly.
pub(super) enum Level<'a> {
    /// Summaries of whole days, then of blocks that no bucket edge cuts, then arrays.
    Days(&'a Axis),
    /// Summaries of blocks that no bucket edge cuts, then arrays.
    Blocks(&'a Axis),
    /// The arrays of all blocks.
    Arrays,
}

impl<'a> Level<'a> {
    /// Returns the level of a query whose points are bucketed on `axis`.
    pub(super) fn of(spec: &AggregateSpec, axis: &'a Axis) -> Self {
        let needs_points = |f: &AggFunction| f.needs_values() || *f == AggFunction::TimeAvg;
        if spec.functions.iter().any(needs_points) || axis.calendar().is_none() {
            Self::Arrays
        } else if spec.session_id.is_some()
            || spec.filter.is_some()
            || spec.group_by == GroupBy::Session
        {
            Self::Blocks(axis)
        } else {
            Self::Days(axis)
        }
    }

    /// Splits a range into windows of whole days and the ranges of blocks between them.
    pub(super) fn split(&self, range: &Range<Timestamp>) -> DaySplit {
        match self {
            Self::Days(Axis::Calendar(calendar)) => DaySplit::split(calendar, range),
            _ => DaySplit::without_days(range),
        }
    }

    /// Returns the blocks that need arrays: those that a bucket edge or an end of the range cuts.
    pub(super) fn arrays(&self, ranges: &[Range<Timestamp>], range_start: Timestamp) -> Arrays {
        let (Self::Days(Axis::Calendar(calendar)) | Self::Blocks(Axis::Calendar(calendar))) = self
        else {
            return Arrays::Always;
        };
        let mut edges = Vec::new();
        for range in ranges {
            edges.push(range.start);
            for bucket in calendar.buckets(range.clone()) {
                let end = bucket.end().min(range.end);
                if edges.last().is_some_and(|last| *last < range_start) && range_start < end {
                    edges.push(range_start); // the end of the lookback
                }
                edges.push(end);
                if edges.len() > MAX_EDGES {
                    return Arrays::Always;
                }
            }
        }
        edges.dedup();
        Arrays::WhereCut(edges)
    }
}
