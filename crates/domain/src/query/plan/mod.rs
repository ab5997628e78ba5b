//! Chooses the coarsest level that is exact for each stretch of the range.

mod estimate;

use std::ops::Range;
use std::sync::Arc;

pub(super) use estimate::Estimate;

use super::ask::{AggFunction, AggregateQuery, Axis, GroupBy};
use crate::bucket::{DaySplit, DayWindow};
use crate::channel::ChannelId;
use crate::metric_type::MetricType;
use crate::ports::{
    Arrays, BlockScan, CatalogueView, DayScan, LeafCondition, Presence, ScanRequest, SummaryParts,
};
use crate::{MetricTypeId, Timestamp};

/// With more edges than this, looking each block up costs more than reading its arrays.
const MOST_EDGES: usize = 10_000;
/// What reads fewer days than this is answered in a millisecond and not worth a look into the cache.
const CHEAP_SUMMARY_DAYS: i64 = 90;
const CHEAP_BLOCK_DAYS: i64 = 2;

/// A series that is aggregated.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) metric_type: Arc<MetricType>,
    /// What its points must meet.
    pub(super) conditions: Vec<LeafCondition>,
}

/// What will be read for a query.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) request: ScanRequest,
    /// The part of the lookback and the range in which points can lie.
    pub(super) range: Range<Timestamp>,
    /// Where the lookback ends and the range starts.
    pub(super) asked_from: Timestamp,
    /// The windows of the request that lie in the lookback.
    pub(super) windows_before: usize,
    /// What points are bucketed on.
    pub(super) axis: Axis,
    /// The series to aggregate, by name.
    pub(super) series: Vec<Selected>,
    /// Series that cannot be aggregated so, left out.
    pub(super) skipped: Vec<Arc<MetricType>>,
}

impl Plan {
    /// Plans `query` over `selected` series; `possible` is where points can lie.
    pub(super) fn new(
        query: &AggregateQuery,
        selected: Vec<Selected>,
        skipped: Vec<Arc<MetricType>>,
        view: CatalogueView,
        possible: (Timestamp, Timestamp),
    ) -> Self {
        let clip = |r: Range<Timestamp>| r.start.max(possible.0)..r.end.min(possible.1);
        let asked = clip(query.range.clone());
        let before = clip(
            query
                .lookback
                .map_or(query.range.start, |l| l.before(query.range.start))
                ..query.range.start,
        );
        let axis = query.point_axis();
        let (numeric, textual): (Vec<_>, Vec<_>) = selected
            .iter()
            .partition(|s| !s.metric_type.channels.is_empty());
        let level = Level::of(query, &axis);
        let (mut split, after) = (level.split(&before), level.split(&asked));
        let windows_before = split.windows.len();
        split.windows.extend(after.windows);
        for stretch in after.ranges {
            split.push_range(stretch);
        }
        let mut blocks = Vec::new();
        if !split.ranges.is_empty() {
            let arrays = level.arrays(&split.ranges, query.range.start);
            for (conditions, types) in by_conditions(&numeric) {
                let stretches = split.ranges.clone();
                blocks.push(BlockScan {
                    metric_types: types,
                    arrays: arrays.clone(),
                    stretches,
                    remainder: false,
                    conditions,
                });
            }
        }
        let range = if before.is_empty() {
            asked.clone()
        } else {
            before.start..asked.end.max(before.end)
        };
        if !textual.is_empty() && !range.is_empty() {
            blocks.push(BlockScan {
                metric_types: textual.iter().map(|s| s.metric_type.id).collect(),
                stretches: vec![range.clone()],
                arrays: Arrays::Always,
                remainder: true,
                conditions: Vec::new(),
            });
        }
        let channels: Vec<ChannelId> = numeric
            .iter()
            .flat_map(|s| &s.metric_type.channels)
            .map(|c| c.id)
            .collect();
        let starts = (axis.calendar().is_none() && !range.is_empty()).then(|| range.clone());
        Self {
            request: ScanRequest {
                users: query.users.clone(),
                view,
                session_id: query.session_id,
                starts,
                days: day_scan(query, channels, split.windows),
                blocks,
                presence: Presence {
                    metric_types: skipped.iter().map(|t| t.id).collect(),
                    range: range.clone(),
                },
            },
            range,
            asked_from: query.range.start,
            windows_before,
            axis,
            series: selected,
            skipped,
        }
    }

    /// Whether a look into the cache could be worth its time.
    pub(super) fn may_be_expensive(&self) -> bool {
        let users = i64::try_from(self.request.users.len()).unwrap_or(i64::MAX);
        let windows = self.request.days.iter().flat_map(|d| &d.windows);
        let summary_days: i64 = windows.map(|w| w.days.end.0 - w.days.start.0).sum();
        self.block_days().saturating_mul(users) > CHEAP_BLOCK_DAYS
            || summary_days.saturating_mul(users) > CHEAP_SUMMARY_DAYS
    }

    /// How many days of blocks are looked at, of each user.
    pub(super) fn block_days(&self) -> i64 {
        let days = |r: &Range<Timestamp>| r.end.utc_day().0 - r.start.utc_day().0;
        self.request
            .blocks
            .iter()
            .flat_map(|b| &b.stretches)
            .map(days)
            .sum()
    }

    /// Whether every point of the range is read, so that day summaries tell how many those are.
    pub(super) fn reads_every_point(&self) -> bool {
        let all =
            |b: &BlockScan| b.arrays == Arrays::Always && !b.remainder && b.conditions.is_empty();
        self.request.days.is_none()
            && self.request.session_id.is_none()
            && self.request.blocks.iter().any(all)
    }

    /// How many stretches of blocks are looked at.
    pub(super) fn stretches(&self) -> usize {
        self.request.blocks.iter().map(|b| b.stretches.len()).sum()
    }
}

/// The coarsest level that answers a query.
enum Level<'a> {
    /// Whole days, then blocks that no edge cuts, then arrays.
    Days(&'a Axis),
    /// Blocks that no edge cuts, then arrays.
    Blocks(&'a Axis),
    /// Every point.
    Arrays,
}

impl<'a> Level<'a> {
    fn of(query: &AggregateQuery, axis: &'a Axis) -> Self {
        let needs_points = |f: &AggFunction| f.needs_values() || *f == AggFunction::TimeAvg;
        if query.functions.iter().any(needs_points) || axis.calendar().is_none() {
            Self::Arrays
        } else if query.session_id.is_some()
            || query.filter.is_some()
            || query.group_by == GroupBy::Session
        {
            Self::Blocks(axis)
        } else {
            Self::Days(axis)
        }
    }

    fn split(&self, range: &Range<Timestamp>) -> DaySplit {
        match self {
            Self::Days(Axis::Calendar(calendar)) => DaySplit::split(calendar, range),
            _ => DaySplit::without_days(range),
        }
    }

    /// Arrays are needed where a bucket's edge, or an end of the range, cuts a block.
    fn arrays(&self, stretches: &[Range<Timestamp>], asked_from: Timestamp) -> Arrays {
        let (Self::Days(Axis::Calendar(calendar)) | Self::Blocks(Axis::Calendar(calendar))) = self
        else {
            return Arrays::Always;
        };
        let mut edges = Vec::new();
        for stretch in stretches {
            edges.push(stretch.start);
            for bucket in calendar.buckets(stretch.clone()) {
                let end = bucket.end().min(stretch.end);
                if edges.last().is_some_and(|last| *last < asked_from) && asked_from < end {
                    edges.push(asked_from); // the end of the lookback
                }
                edges.push(end);
                if edges.len() > MOST_EDGES {
                    return Arrays::Always;
                }
            }
        }
        edges.dedup();
        Arrays::WhereCut(edges)
    }
}

/// One scan for all metric types whose points must meet the same conditions.
fn by_conditions(series: &[&Selected]) -> Vec<(Vec<LeafCondition>, Vec<MetricTypeId>)> {
    let mut scans: Vec<(Vec<LeafCondition>, Vec<MetricTypeId>)> = Vec::new();
    for one in series {
        match scans
            .iter_mut()
            .find(|(conditions, _)| *conditions == one.conditions)
        {
            Some((_, types)) => types.push(one.metric_type.id),
            None => scans.push((one.conditions.clone(), vec![one.metric_type.id])),
        }
    }
    scans
}

fn day_scan(
    query: &AggregateQuery,
    channels: Vec<ChannelId>,
    windows: Vec<DayWindow>,
) -> Option<DayScan> {
    if channels.is_empty() || windows.is_empty() {
        return None;
    }
    let basic = query
        .functions
        .iter()
        .all(|f| f.parts() == SummaryParts::Basic);
    let parts = if basic && query.over.is_empty() {
        SummaryParts::Basic
    } else {
        SummaryParts::Full
    };
    Some(DayScan {
        channels,
        windows,
        parts,
        by_user: query.group_by == GroupBy::User,
    })
}
