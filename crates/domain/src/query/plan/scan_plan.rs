//! The plan of a query: day summaries where these are exact, blocks elsewhere.

use std::ops::Range;
use std::sync::Arc;

use super::level::Level;
use crate::bucket::DayWindow;
use crate::channel::ChannelId;
use crate::metric_type::MetricType;
use crate::ports::{
    Arrays, BlockScan, CatalogueView, DayScan, LeafCondition, Presence, ScanRequest, SummaryParts,
};
use crate::query::selection::SelectedSeries;
use crate::query::spec::{AggregateSpec, Axis, GroupBy};
use crate::{MetricTypeId, Timestamp};

/// Maximum days of summaries that are read without a cache lookup: they take about a millisecond.
const CHEAP_SUMMARY_DAYS: i64 = 90;
/// Maximum days of blocks that are read without a cache lookup.
const CHEAP_BLOCK_DAYS: i64 = 2;

/// The data that a query reads.
#[derive(Debug)]
pub(in crate::query) struct Plan {
    pub(in crate::query) request: ScanRequest,
    /// The part of lookback and range in which points can lie.
    pub(in crate::query) range: Range<Timestamp>,
    /// The end of the lookback and start of the requested range.
    pub(in crate::query) range_start: Timestamp,
    /// Number of windows that lie in the lookback; they are the first ones.
    pub(in crate::query) lookback_windows: usize,
    /// The axis that points are bucketed on.
    pub(in crate::query) axis: Axis,
    /// The series to aggregate, ordered by name.
    pub(in crate::query) series: Vec<SelectedSeries>,
    /// The selected series that cannot be aggregated by these functions.
    pub(in crate::query) skipped: Vec<Arc<MetricType>>,
}

impl Plan {
    /// Plans a query over the selected series. Points can lie in the `possible` range.
    pub(in crate::query) fn new(
        spec: &AggregateSpec,
        selected: Vec<SelectedSeries>,
        skipped: Vec<Arc<MetricType>>,
        view: CatalogueView,
        possible: (Timestamp, Timestamp),
    ) -> Self {
        let clip = |r: Range<Timestamp>| r.start.max(possible.0)..r.end.min(possible.1);
        let requested = clip(spec.range.clone());
        let lookback = clip(
            spec.lookback
                .map_or(spec.range.start, |l| l.before(spec.range.start))
                ..spec.range.start,
        );
        let axis = spec.point_axis();
        let (numeric, textual): (Vec<_>, Vec<_>) = selected
            .iter()
            .partition(|s| !s.metric_type.channels.is_empty());
        let level = Level::of(spec, &axis);
        let mut split = level.split(&lookback);
        let after = level.split(&requested);
        let lookback_windows = split.windows.len();
        split.windows.extend(after.windows);
        for range in after.ranges {
            split.push_range(range);
        }
        let mut blocks = Vec::new();
        if !split.ranges.is_empty() {
            let arrays = level.arrays(&split.ranges, spec.range.start);
            for (conditions, types) in by_conditions(&numeric) {
                blocks.push(BlockScan {
                    metric_types: types,
                    arrays: arrays.clone(),
                    ranges: split.ranges.clone(),
                    remainder: false,
                    conditions,
                });
            }
        }
        let range = if lookback.is_empty() {
            requested.clone()
        } else {
            lookback.start..requested.end.max(lookback.end)
        };
        if !textual.is_empty() && !range.is_empty() {
            blocks.push(BlockScan {
                metric_types: textual.iter().map(|s| s.metric_type.id).collect(),
                ranges: vec![range.clone()],
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
                users: spec.users.clone(),
                view,
                session_id: spec.session_id,
                starts,
                days: day_scan(spec, channels, split.windows),
                blocks,
                presence: Presence {
                    metric_types: skipped.iter().map(|t| t.id).collect(),
                    range: range.clone(),
                },
            },
            range,
            range_start: spec.range.start,
            lookback_windows,
            axis,
            series: selected,
            skipped,
        }
    }

    /// Returns whether the query may take longer than a cache lookup.
    pub(in crate::query) fn may_be_expensive(&self) -> bool {
        let users = i64::try_from(self.request.users.len()).unwrap_or(i64::MAX);
        let windows = self.request.days.iter().flat_map(|d| &d.windows);
        let summary_days: i64 = windows.map(|w| w.days.end.0 - w.days.start.0).sum();
        self.block_days().saturating_mul(users) > CHEAP_BLOCK_DAYS
            || summary_days.saturating_mul(users) > CHEAP_SUMMARY_DAYS
    }

    /// Returns the number of days whose blocks are read, per user.
    pub(in crate::query) fn block_days(&self) -> i64 {
        let days = |r: &Range<Timestamp>| r.end.utc_day().0 - r.start.utc_day().0;
        self.request
            .blocks
            .iter()
            .flat_map(|b| &b.ranges)
            .map(days)
            .sum()
    }

    /// Returns whether every point of the range is read, so that day summaries give their number.
    pub(in crate::query) fn reads_every_point(&self) -> bool {
        let all =
            |b: &BlockScan| b.arrays == Arrays::Always && !b.remainder && b.conditions.is_empty();
        self.request.days.is_none()
            && self.request.session_id.is_none()
            && self.request.blocks.iter().any(all)
    }

    /// Returns the number of time ranges in which blocks are read.
    pub(in crate::query) fn block_ranges(&self) -> usize {
        self.request.blocks.iter().map(|b| b.ranges.len()).sum()
    }
}

/// Groups metric types by the conditions on their points: one scan per set of conditions.
fn by_conditions(series: &[&SelectedSeries]) -> Vec<(Vec<LeafCondition>, Vec<MetricTypeId>)> {
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
    spec: &AggregateSpec,
    channels: Vec<ChannelId>,
    windows: Vec<DayWindow>,
) -> Option<DayScan> {
    if channels.is_empty() || windows.is_empty() {
        return None;
    }
    let basic = spec
        .functions
        .iter()
        .all(|f| f.parts() == SummaryParts::Basic);
    let parts = if basic && spec.over.is_empty() {
        SummaryParts::Basic
    } else {
        SummaryParts::Full
    };
    Some(DayScan {
        channels,
        windows,
        parts,
        by_user: spec.group_by == GroupBy::User,
    })
}
