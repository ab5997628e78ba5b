//! The fold of one query: the rows so far, the limits and the statistics.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::accumulator::{Accumulator, BucketState};
use super::rows::{BucketSlot, Groups, RangePart, Rows, Table};
use super::time_weighted::TimeWeighted;
use super::values::Values;
use crate::channel::ChannelId;
use crate::json::Pointer;
use crate::metric_type::MetricType;
use crate::ports::StoreError;
use crate::query::answer::{BucketRow, Figure, Group, QueryStats};
use crate::query::limits::{LimitExceeded, QueryLimits};
use crate::query::memory_budget::MemoryReservation;
use crate::query::plan::Plan;
use crate::query::spec::{Accuracy, AggFunction, AggregateSpec, GroupBy};
use crate::{MetricTypeId, SessionId, Timestamp, UserId};

/// Bytes of a row without its accumulators and figures: its entry in the map and the overhead of
/// the allocator.
const ROW_BYTES: usize = 112 + size_of::<BucketRow>();
/// Bytes of a retained value, with the spare capacity of its list.
pub(super) const VALUE_BYTES: usize = 2 * size_of::<f64>();

/// Folds the day summaries and blocks of a scan into bucket states.
pub(in crate::query) struct Fold<'a> {
    pub(super) plan: &'a Plan,
    pub(super) group_by: GroupBy,
    pub(super) table: Table,
    pub(super) groups: Groups,
    pub(super) time_weighted: Option<TimeWeighted>,
    /// The starts of sessions, if the axis counts from them.
    pub(super) starts: HashMap<(UserId, SessionId), Timestamp>,
    pub(super) series_of: HashMap<MetricTypeId, usize>,
    pub(super) channel_of: HashMap<ChannelId, (usize, usize)>,
    pub(super) pointers: Vec<Vec<Pointer>>,
    pub(super) retains_values: bool,
    pub(super) may_sketch: bool,
    /// For each series and group, the last bucket of the lookback that has each leaf; `None` if the
    /// answer may depend on earlier buckets of the lookback.
    pub(super) last_before: Option<HashMap<(usize, u32), LastBuckets>>,
    /// The first point of each part, series and group, with or without a number, if it decides the
    /// bucket of a session.
    pub(super) first_points: Option<FirstPoints>,
    /// The slot of the previous point: most points arrive in order.
    pub(super) recent: Option<BucketSlot>,
    pub(super) limits: QueryLimits,
    /// Number of rows.
    pub(super) rows: usize,
    /// Number of retained values.
    pub(super) values: usize,
    /// Bytes of a row, by series.
    pub(super) row_bytes: Vec<usize>,
    /// Bytes of all rows.
    pub(super) bytes: usize,
    pub(super) memory: MemoryReservation,
    /// The skipped metric types that have points.
    pub(super) present: Vec<MetricTypeId>,
    /// The limit that ended the scan.
    pub(super) exceeded: Option<LimitExceeded>,
    pub(super) stats: QueryStats,
    is_timed: bool,
}

/// The last bucket of each leaf that has one.
type LastBuckets = Vec<Option<Timestamp>>;

/// First points by part of the range, index of the series and number of the group.
pub(in crate::query) type FirstPoints = HashMap<(RangePart, usize, u32), Timestamp>;

/// The result of a fold.
pub(in crate::query) struct Folded {
    /// The first points, if they decide the buckets of sessions.
    pub(in crate::query) first_points: FirstPoints,
    pub(in crate::query) lookback: Vec<Rows>,
    pub(in crate::query) requested: Vec<Rows>,
    pub(in crate::query) groups: Vec<Group>,
    pub(in crate::query) memory: MemoryReservation,
    /// The skipped metric types that have points.
    pub(in crate::query) present: Vec<MetricTypeId>,
}

impl<'a> Fold<'a> {
    /// Creates an empty fold of a plan.
    pub(in crate::query) fn new(
        spec: &AggregateSpec,
        plan: &'a Plan,
        limits: QueryLimits,
        memory: MemoryReservation,
    ) -> Self {
        let series = || plan.series.iter().map(|s| &s.metric_type).enumerate();
        let channels = series().flat_map(|(s, t)| {
            t.channels
                .iter()
                .enumerate()
                .map(move |(c, channel)| (channel.id, (s, c)))
        });
        let exact = spec.functions.iter().any(|f| f.needs_exact_values());
        let retains_values = spec.functions.iter().any(|f| f.needs_values());
        let row_bytes = |(_, metric_type): (usize, &Arc<MetricType>)| {
            let values = if retains_values {
                size_of::<Values>()
            } else {
                0
            };
            let channel =
                size_of::<Accumulator>() + values + spec.functions.len() * size_of::<Figure>();
            ROW_BYTES + metric_type.channels.len().max(1) * channel
        };
        Self {
            group_by: spec.group_by,
            table: Table::new(plan.series.len()),
            groups: Groups::default(),
            time_weighted: spec
                .functions
                .contains(&AggFunction::TimeAvg)
                .then(TimeWeighted::default),
            starts: HashMap::new(),
            series_of: series().map(|(s, t)| (t.id, s)).collect(),
            channel_of: channels.collect(),
            pointers: series().map(|(_, t)| t.pointers()).collect(),
            retains_values,
            may_sketch: spec.accuracy == Accuracy::Approx && !exact,
            last_before: (spec.over.is_empty() && !spec.functions.contains(&AggFunction::TimeAvg))
                .then(HashMap::new),
            first_points: spec.places_sessions().then(HashMap::new),
            recent: None,
            limits,
            rows: 0,
            values: 0,
            row_bytes: series().map(row_bytes).collect(),
            bytes: 0,
            memory,
            present: Vec::new(),
            exceeded: None,
            stats: QueryStats {
                windows: plan.request.days.as_ref().map_or(0, |d| d.windows.len()),
                ranges: plan.block_ranges(),
                ..QueryStats::default()
            },
            is_timed: spec.explain,
            plan,
        }
    }

    /// Returns the limit that the query exceeds, if any.
    pub(in crate::query) fn exceeded(&mut self) -> Option<LimitExceeded> {
        let too_many = LimitExceeded::Rows {
            rows: self.rows,
            limit: self.limits.rows,
        };
        self.exceeded
            .take()
            .or_else(|| (self.rows > self.limits.rows).then_some(too_many))
    }

    /// Completes the time-weighted means once the scan has ended. A bucket throughout which a value
    /// was in effect gets a row.
    pub(in crate::query) fn end(&mut self) -> Result<(), StoreError> {
        let Some(mut time_weighted) = self.time_weighted.take() else {
            return Ok(());
        };
        time_weighted.connect_blocks(&mut self.table)?;
        let plan = self.plan;
        time_weighted.for_each_whole_bucket(&plan.axis, |of, whole| {
            let channels = plan.series[of.series].metric_type.channels.len();
            let retains_values = self.retains_values;
            let new = || BucketState::of_numbers(channels, retains_values);
            let key = (whole.bucket.start(), of.group);
            if let BucketState::Numbers(accumulators) = self.row(of.series, of.part, key, new)?
                && let Some(accumulator) = accumulators.get_mut(of.channel)
            {
                accumulator.time_weighted.add_whole_bucket(&whole);
            }
            Ok(())
        })
    }

    /// Returns the bucket states and the statistics, once the fold has ended.
    pub(in crate::query) fn into_folded(self) -> (Folded, QueryStats) {
        let Table {
            lookback,
            requested,
        } = self.table;
        let folded = Folded {
            first_points: self.first_points.unwrap_or_default(),
            lookback,
            requested,
            groups: self.groups.into_list(),
            memory: self.memory,
            present: self.present,
        };
        (folded, self.stats)
    }

    /// Runs a step of the fold and measures its time if the query asks for it.
    pub(super) fn timed(
        &mut self,
        fold: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if !self.is_timed {
            return fold(self);
        }
        let started = Instant::now();
        let result = fold(self);
        self.stats.fold += started.elapsed();
        result
    }

    /// Records the exceeded limit and ends the scan.
    pub(super) fn exceed<T>(&mut self, exceeded: LimitExceeded) -> Result<T, StoreError> {
        self.exceeded = Some(exceeded);
        Err(StoreError::Stopped)
    }

    /// Reserves the memory of the present state, or ends the scan.
    pub(super) fn reserve(&mut self) -> Result<(), StoreError> {
        let intervals = self
            .time_weighted
            .as_ref()
            .map_or(0, TimeWeighted::retained);
        let bytes = self.bytes + VALUE_BYTES * self.values + size_of::<f64>() * intervals;
        self.memory
            .grow_to(bytes)
            .or_else(|exceeded| self.exceed(exceeded))
    }
}
