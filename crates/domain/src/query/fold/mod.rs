//! Folds what a scan finds into rows.

mod blocks;
mod holds;
mod keep;
mod limits;
mod rows;
mod run;
mod sink;
mod tally;
mod values;

use std::collections::HashMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Instant;

use self::holds::{Holds, Share};
pub use self::limits::{QueryLimits, Refusal};

use self::rows::{Groups, Slot, Table, offset};
pub(super) use self::rows::{Part, Rows};
pub(super) use self::run::passing;
pub(super) use self::tally::{Cell, Tally, TextSample, TextTally};
pub use self::values::{ABSOLUTE_ERROR, RELATIVE_ERROR};
pub(super) use self::values::{Values, runs};
use super::answer::{BucketRow, Figure, Group, Work};
use super::ask::{Accuracy, AggFunction, AggregateQuery, Axis, GroupBy};
use super::memory_budget::MemoryReservation;
use super::plan::Plan;
use crate::channel::ChannelId;
use crate::json::Pointer;
use crate::metric_type::MetricType;
use crate::ports::StoreError;
use crate::{MetricTypeId, SessionId, Summary, Timestamp, UserId};

/// Rows are counted up to so many times the limit, to be told; then the scan is ended.
const COUNTED: usize = 2;
/// Bytes of a row without its tallies and figures: its place in the map, and what the allocator adds.
const ROW_BYTES: usize = 112 + size_of::<BucketRow>();
/// Bytes of a kept value, with the room into which its list grows.
const VALUE_BYTES: usize = 2 * size_of::<f64>();

/// Takes a scan's findings; gives the cells of the answer.
pub(super) struct Fold<'a> {
    plan: &'a Plan,
    group_by: GroupBy,
    table: Table,
    groups: Groups,
    holds: Option<Holds>,
    /// The starts of sessions, if the axis counts from them.
    starts: HashMap<(UserId, SessionId), Timestamp>,
    series_of: HashMap<MetricTypeId, usize>,
    channel_of: HashMap<ChannelId, (usize, usize)>,
    pointers: Vec<Vec<Pointer>>,
    keeps_values: bool,
    may_sketch: bool,
    /// By series and group, for each leaf the last bucket of the lookback that has it, where no other one shows in the answer.
    last_before: Option<HashMap<(usize, u32), LastBuckets>>,
    /// The first point of each part, series and group, whatever its value, where sessions are placed by it.
    first_points: Option<FirstPoints>,
    /// The slot last used: points come mostly in order.
    recent: Option<Slot>,
    limits: QueryLimits,
    /// How many rows there are.
    rows: usize,
    /// How many values are kept.
    values: usize,
    /// Bytes of a row, by series.
    row_bytes: Vec<usize>,
    /// Bytes of all rows.
    bytes: usize,
    memory: MemoryReservation,
    /// The skipped metric types that have points.
    present: Vec<MetricTypeId>,
    /// Why the scan was ended.
    refusal: Option<Refusal>,
    work: Work,
    is_timed: bool,
}

/// The last bucket of each leaf that has one.
type LastBuckets = Vec<Option<Timestamp>>;

/// By part of the range, place of the series and number of the group.
pub(super) type FirstPoints = HashMap<(Part, usize, u32), Timestamp>;

/// What the rows are made of.
pub(super) struct Folded {
    /// The first points, where sessions are placed by them.
    pub(super) first_points: FirstPoints,
    pub(super) before: Vec<Rows>,
    pub(super) asked: Vec<Rows>,
    pub(super) groups: Vec<Group>,
    pub(super) memory: MemoryReservation,
    /// The skipped metric types that have points.
    pub(super) present: Vec<MetricTypeId>,
}

impl<'a> Fold<'a> {
    pub(super) fn new(
        query: &AggregateQuery,
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
        let exact = query.functions.iter().any(|f| f.needs_exact_values());
        let keeps_values = query.functions.iter().any(|f| f.needs_values());
        let row_bytes = |(_, metric_type): (usize, &Arc<MetricType>)| {
            let values = if keeps_values { size_of::<Values>() } else { 0 };
            let tally = size_of::<Tally>() + values + query.functions.len() * size_of::<Figure>();
            ROW_BYTES + metric_type.channels.len().max(1) * tally
        };
        Self {
            group_by: query.group_by,
            table: Table::new(plan.series.len()),
            groups: Groups::default(),
            holds: query
                .functions
                .contains(&AggFunction::TimeAvg)
                .then(Holds::default),
            starts: HashMap::new(),
            series_of: series().map(|(s, t)| (t.id, s)).collect(),
            channel_of: channels.collect(),
            pointers: series().map(|(_, t)| t.pointers()).collect(),
            keeps_values,
            may_sketch: query.accuracy == Accuracy::Approx && !exact,
            last_before: (query.over.is_empty()
                && !query.functions.contains(&AggFunction::TimeAvg))
            .then(HashMap::new),
            first_points: query.places_sessions().then(HashMap::new),
            recent: None,
            limits,
            rows: 0,
            values: 0,
            row_bytes: series().map(row_bytes).collect(),
            bytes: 0,
            memory,
            present: Vec::new(),
            refusal: None,
            work: Work {
                windows: plan.request.days.as_ref().map_or(0, |d| d.windows.len()),
                stretches: plan.stretches(),
                ..Work::default()
            },
            is_timed: query.explain,
            plan,
        }
    }

    /// Why the query cannot be answered, if it cannot.
    pub(super) fn refusal(&mut self) -> Option<Refusal> {
        let too_many = Refusal::Rows {
            rows: self.rows,
            limit: self.limits.rows,
        };
        self.refusal
            .take()
            .or_else(|| (self.rows > self.limits.rows).then_some(too_many))
    }

    /// Ends the fold once the scan is over: a bucket through which a value held has a row.
    pub(super) fn end(&mut self) -> Result<(), StoreError> {
        let Some(mut holds) = self.holds.take() else {
            return Ok(());
        };
        holds.join(&mut self.table)?;
        let plan = self.plan;
        holds.share(&plan.axis, |share| {
            let Share { of, bucket, .. } = &share;
            let channels = plan.series[of.series].metric_type.channels.len();
            let keeps_values = self.keeps_values;
            let new = || Cell::of_numbers(channels, keeps_values);
            if let Cell::Numbers(tallies) =
                self.row(of.series, of.part, (bucket.start(), of.group), new)?
                && let Some(tally) = tallies.get_mut(of.channel)
            {
                tally.held.add_share(&share);
            }
            Ok(())
        })
    }

    /// The cells, once the fold is over, and what it took.
    pub(super) fn into_cells(self) -> (Folded, Work) {
        let Table { before, asked } = self.table;
        let first_points = self.first_points.unwrap_or_default();
        let (groups, memory, present) = (self.groups.into_list(), self.memory, self.present);
        (
            Folded {
                first_points,
                before,
                asked,
                groups,
                memory,
                present,
            },
            self.work,
        )
    }

    fn timed(
        &mut self,
        fold: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if !self.is_timed {
            return fold(self);
        }
        let started = Instant::now();
        let result = fold(self);
        self.work.fold += started.elapsed();
        result
    }

    fn refuse<T>(&mut self, refusal: Refusal) -> Result<T, StoreError> {
        self.refusal = Some(refusal);
        Err(StoreError::Stopped)
    }

    /// Reserves the memory of what is held by now; without it, ends the scan.
    fn reserve(&mut self) -> Result<(), StoreError> {
        let holds = self.holds.as_ref().map_or(0, Holds::kept);
        let bytes = self.bytes + VALUE_BYTES * self.values + size_of::<f64>() * holds;
        self.memory
            .grow_to(bytes)
            .or_else(|refusal| self.refuse(refusal))
    }

    fn group(&mut self, user: UserId, session: Option<SessionId>) -> u32 {
        self.groups.number(match self.group_by {
            GroupBy::Nothing => Group::default(),
            GroupBy::User => Group {
                user: Some(user),
                session: None,
            },
            GroupBy::Session => Group {
                user: Some(user),
                session,
            },
        })
    }

    /// The row of a bucket, made by `new` if it is not there. Far beyond the limit the scan is ended.
    fn row(
        &mut self,
        series: usize,
        part: Part,
        key: (Timestamp, u32),
        new: impl FnOnce() -> Cell,
    ) -> Result<&mut Cell, StoreError> {
        let (count, limit, bytes) = (
            self.rows,
            self.limits.rows,
            self.bytes + self.row_bytes[series],
        );
        match self.table.rows(part, series).entry(key) {
            Entry::Occupied(row) => Ok(row.into_mut()),
            Entry::Vacant(_) if count >= limit.saturating_mul(COUNTED) => Err(StoreError::Stopped),
            Entry::Vacant(row) => {
                if let Err(refusal) = self.memory.grow_to(bytes + VALUE_BYTES * self.values) {
                    self.refusal = Some(refusal);
                    return Err(StoreError::Stopped);
                }
                (self.rows, self.bytes) = (count + 1, bytes);
                Ok(row.insert(if count >= limit { Cell::Counted } else { new() }))
            }
        }
    }

    /// Returns true if a bucket of the lookback may be the last of its group with one of these leaves. Forgets buckets that are
    /// no longer the last of any leaf.
    fn may_show(
        &mut self,
        series: usize,
        (bucket, group): (Timestamp, u32),
        leaves: impl Iterator<Item = usize>,
    ) -> bool {
        let Some(last_before) = &mut self.last_before else {
            return true;
        };
        let channels = self.plan.series[series].metric_type.channels.len().max(1);
        let last = last_before
            .entry((series, group))
            .or_insert_with(|| vec![None; channels]);
        let mut may_show = false;
        for leaf in leaves.filter(|leaf| *leaf < channels) {
            let known = last[leaf];
            if known > Some(bucket) {
                continue;
            }
            may_show = true;
            last[leaf] = Some(bucket);
            if let Some(known) = known
                && !last.contains(&Some(known))
                && let Some(cell) = self
                    .table
                    .rows(Part::Before, series)
                    .remove(&(known, group))
            {
                self.rows -= 1;
                self.bytes -= self.row_bytes[series];
                self.values -= cell.kept();
            }
        }
        may_show
    }

    /// Notes a point that counts, also one without a number.
    fn note_point(&mut self, series: usize, part: Part, group: u32, time: Timestamp) {
        if let Some(first_points) = &mut self.first_points {
            let first = first_points.entry((part, series, group)).or_insert(time);
            *first = time.min(*first);
        }
    }

    /// Where an instant falls; `start` is that of the session, if the axis counts from it.
    fn slot(&mut self, t: Timestamp, start: Option<Timestamp>) -> Slot {
        if let Some(recent) = self.recent.filter(|r| r.holds(t)) {
            return recent;
        }
        let slot = match (&self.plan.axis, start) {
            (Axis::SinceStart(offsets), Some(start)) => {
                let bucket = offsets.bucket(offset(t, start));
                let at = |edge: Timestamp| start.plus_micros(edge.micros());
                Slot {
                    part: Part::Asked,
                    bucket: bucket.start(),
                    from: at(bucket.start()),
                    until: at(bucket.end()),
                }
            }
            (axis, _) => {
                let (bucket, cut) = (axis.bucket(t), self.plan.asked_from);
                let (start, end) = (bucket.start(), bucket.end());
                if t < cut {
                    Slot {
                        part: Part::Before,
                        bucket: start,
                        from: start,
                        until: end.min(cut),
                    }
                } else {
                    Slot {
                        part: Part::Asked,
                        bucket: start,
                        from: start.max(cut),
                        until: end,
                    }
                }
            }
        };
        self.recent = Some(slot);
        slot
    }

    fn merge(
        &mut self,
        series: usize,
        part: Part,
        key: (Timestamp, u32),
        summaries: impl Iterator<Item = (usize, Summary)> + Clone,
    ) -> Result<(), StoreError> {
        if part == Part::Before {
            let leaves = summaries
                .clone()
                .filter(|(_, summary)| summary.count() > 0)
                .map(|(channel, _)| channel);
            if !self.may_show(series, key, leaves) {
                return Ok(());
            }
        }
        let (channels, keeps_values) = (
            self.plan.series[series].metric_type.channels.len(),
            self.keeps_values,
        );
        let new = || Cell::of_numbers(channels, keeps_values);
        if let Cell::Numbers(tallies) = self.row(series, part, key, new)? {
            for (channel, summary) in summaries {
                if let Some(tally) = tallies.get_mut(channel) {
                    tally.summary.merge(&summary);
                }
            }
        }
        Ok(())
    }
}
