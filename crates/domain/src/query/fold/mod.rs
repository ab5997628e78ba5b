//! Folds what a scan finds into rows.

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
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use self::holds::{Holds, Share};
pub use self::limits::{QueryLimits, Refusal};

pub(super) use self::rows::Rows;
use self::rows::{Groups, Part, Slot, Table, offset};
use self::run::Run;
pub(super) use self::run::passing;
pub(super) use self::tally::{Cell, Tally, TextSample, TextTally};
pub use self::values::{ABSOLUTE_ERROR, RELATIVE_ERROR};
pub(super) use self::values::{Values, runs};
use super::answer::{BucketRow, Figure, Group, Work};
use super::ask::{Accuracy, AggFunction, AggregateQuery, Axis, GroupBy};
use super::memory_budget::MemoryReservation;
use super::plan::Plan;
use crate::block::Block;
use crate::channel::{ChannelId, Pointer};
use crate::metric_type::MetricType;
use crate::ports::{BlockContent, ScannedBlock, StoreError};
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
    last_before: Option<HashMap<(usize, u32), Vec<Option<Timestamp>>>>,
    /// By series and group the first point, whatever its value, where sessions are placed by it.
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
    /// Why the scan was ended.
    refusal: Option<Refusal>,
    work: Work,
    is_timed: bool,
}

/// By place of the series and number of the group.
type FirstPoints = HashMap<(usize, u32), Timestamp>;

/// What the rows are made of.
pub(super) struct Folded {
    /// By series and group the first point, where sessions are placed by it.
    pub(super) first_points: FirstPoints,
    pub(super) before: Vec<Rows>,
    pub(super) asked: Vec<Rows>,
    pub(super) groups: Vec<Group>,
    pub(super) memory: MemoryReservation,
}

impl<'a> Fold<'a> {
    pub(super) fn new(
        query: &AggregateQuery,
        plan: &'a Plan,
        limits: QueryLimits,
        memory: MemoryReservation,
    ) -> Self {
        let series = || plan.series.iter().map(|s| &s.metric_type).enumerate();
        let channels =
            series().flat_map(|(s, t)| t.channels.iter().enumerate().map(move |(c, channel)| (channel.id, (s, c))));
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
            holds: query.functions.contains(&AggFunction::TimeAvg).then(Holds::default),
            starts: HashMap::new(),
            series_of: series().map(|(s, t)| (t.id, s)).collect(),
            channel_of: channels.collect(),
            pointers: series().map(|(_, t)| t.pointers()).collect(),
            keeps_values,
            may_sketch: query.accuracy == Accuracy::Approx && !exact,
            last_before: (query.over.is_empty() && !query.functions.contains(&AggFunction::TimeAvg)).then(HashMap::new),
            first_points: query.places_sessions().then(HashMap::new),
            recent: None,
            limits,
            rows: 0,
            values: 0,
            row_bytes: series().map(row_bytes).collect(),
            bytes: 0,
            memory,
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
        let too_many = Refusal::Rows { rows: self.rows, limit: self.limits.rows };
        self.refusal.take().or_else(|| (self.rows > self.limits.rows).then_some(too_many))
    }

    /// Ends the fold once the scan is over: a bucket through which a value held has a row.
    pub(super) fn end(&mut self) -> Result<(), StoreError> {
        let Some(mut holds) = self.holds.take() else { return Ok(()) };
        holds.join(&mut self.table)?;
        let plan = self.plan;
        holds.share(&plan.axis, |share| {
            let Share { of, bucket, .. } = &share;
            let channels = plan.series[of.series].metric_type.channels.len();
            let keeps_values = self.keeps_values;
            let new = || Cell::of_numbers(channels, keeps_values);
            if let Cell::Numbers(tallies) = self.row(of.series, of.part, (bucket.start(), of.group), new)?
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
        (Folded { first_points, before, asked, groups: self.groups.into_list(), memory: self.memory }, self.work)
    }

    fn timed(&mut self, fold: impl FnOnce(&mut Self) -> Result<(), StoreError>) -> Result<(), StoreError> {
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
        self.memory.grow_to(bytes).or_else(|refusal| self.refuse(refusal))
    }

    fn group(&mut self, user: UserId, session: Option<SessionId>) -> u32 {
        self.groups.number(match self.group_by {
            GroupBy::Nothing => Group::default(),
            GroupBy::User => Group { user: Some(user), session: None },
            GroupBy::Session => Group { user: Some(user), session },
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
        let (count, limit, bytes) = (self.rows, self.limits.rows, self.bytes + self.row_bytes[series]);
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

    /// Whether a bucket of the lookback may be the last of its group that has one of these leaves; those that are the last
    /// of no leaf any more are forgotten.
    fn may_show(
        &mut self,
        series: usize,
        (bucket, group): (Timestamp, u32),
        leaves: impl Iterator<Item = usize>,
    ) -> bool {
        let Some(last_before) = &mut self.last_before else { return true };
        let channels = self.plan.series[series].metric_type.channels.len().max(1);
        let last = last_before.entry((series, group)).or_insert_with(|| vec![None; channels]);
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
                && let Some(cell) = self.table.rows(Part::Before, series).remove(&(known, group))
            {
                self.rows -= 1;
                self.bytes -= self.row_bytes[series];
                self.values -= cell.kept();
            }
        }
        may_show
    }

    /// Notes a point that counts, also one without a number.
    fn note_point(&mut self, series: usize, group: u32, time: Timestamp) {
        if let Some(first_points) = &mut self.first_points {
            let first = first_points.entry((series, group)).or_insert(time);
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
                Slot { part: Part::Asked, bucket: bucket.start(), from: at(bucket.start()), until: at(bucket.end()) }
            }
            (axis, _) => {
                let (bucket, cut) = (axis.bucket(t), self.plan.asked_from);
                let (start, end) = (bucket.start(), bucket.end());
                if t < cut {
                    Slot { part: Part::Before, bucket: start, from: start, until: end.min(cut) }
                } else {
                    Slot { part: Part::Asked, bucket: start, from: start.max(cut), until: end }
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
            let leaves = summaries.clone().filter(|(_, summary)| summary.count() > 0).map(|(channel, _)| channel);
            if !self.may_show(series, key, leaves) {
                return Ok(());
            }
        }
        let (channels, keeps_values) = (self.plan.series[series].metric_type.channels.len(), self.keeps_values);
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

    fn summaries(&mut self, series: usize, block: &ScannedBlock, summaries: &[Summary]) -> Result<(), StoreError> {
        self.work.block_summaries += 1;
        let slot = self.slot(block.t_min, None);
        let range = &self.plan.range;
        if !slot.holds(block.t_max) || !range.contains(&block.t_min) || !range.contains(&block.t_max) {
            return Err(StoreError::Inconsistent {
                table: "block",
                column: "summaries",
                problem: format!("the block at {} is cut but came without its arrays", block.t_min),
            });
        }
        let group = self.group(block.user_id, Some(block.session_id));
        self.note_point(series, group, block.t_min);
        if summaries.iter().all(|s| s.count() == 0) {
            return Ok(());
        }
        self.merge(series, slot.part, (slot.bucket, group), summaries.iter().copied().enumerate())
    }

    /// The places of a block's points that lie in the range, and their times.
    fn in_range(&mut self, block: &Block) -> Result<(Vec<Timestamp>, Range<usize>), StoreError> {
        let times: Vec<Timestamp> = block.times.iter().collect();
        let places =
            times.partition_point(|t| *t < self.plan.range.start)..times.partition_point(|t| *t < self.plan.range.end);
        self.work.block_arrays += 1;
        self.work.points += places.len() as u64;
        if self.work.points > self.limits.points_read {
            return self.refuse(Refusal::Points { points: self.work.points, limit: self.limits.points_read });
        }
        Ok((times, places))
    }

    fn numbers(&mut self, series: usize, scanned: &ScannedBlock, block: &Block) -> Result<(), StoreError> {
        let start = match &self.plan.axis {
            Axis::SinceStart(_) => Some(self.start_of(scanned)?),
            Axis::Calendar(_) => None,
        };
        if start.is_some() {
            self.recent = None; // it was another session's
        }
        let (times, places) = self.in_range(block)?;
        let passing = passing(&self.plan.series[series].conditions, block, places.clone());
        let group = self.group(scanned.user_id, Some(scanned.session_id));
        let first = match &passing {
            Some(passing) => passing.iter().position(|passes| *passes).map(|place| places.start + place),
            None => Some(places.start).filter(|_| !places.is_empty()),
        };
        if let Some(first) = first {
            self.note_point(series, group, times[first]);
        }
        let run = Run {
            series,
            group,
            scanned,
            start,
            block,
            times: &times,
            passing: passing.as_deref(),
            offset: places.start,
        };
        let mut from = places.start;
        while from < places.end {
            let slot = self.slot(times[from], start);
            // One point at least, also where a stored time is so absurd that its slot is cut at the end of time.
            let until = from + times[from..places.end].partition_point(|t| *t < slot.until).max(1);
            self.run(&run, slot, from..until)?;
            from = until;
        }
        if self.holds.is_some() {
            self.hold(&run, places)?;
        }
        Ok(())
    }

    fn start_of(&self, scanned: &ScannedBlock) -> Result<Timestamp, StoreError> {
        let start = self.starts.get(&(scanned.user_id, scanned.session_id)).copied();
        start.ok_or_else(|| StoreError::Inconsistent {
            table: "session",
            column: "t_min",
            problem: format!("session {} has a block but was not found", scanned.session_id),
        })
    }

    /// Points of a block that all fall into one bucket.
    fn run(&mut self, run: &Run<'_>, slot: Slot, places: Range<usize>) -> Result<(), StoreError> {
        let channels = self.plan.series[run.series].metric_type.channels.len();
        let summaries: Vec<Summary> = (0..channels).map(|c| run.samples(c, places.clone()).collect()).collect();
        if summaries.iter().all(|s| s.count() == 0) {
            return Ok(());
        }
        let key = (slot.bucket, run.group);
        self.merge(run.series, slot.part, key, summaries.iter().copied().enumerate())?;
        if self.keeps_values { self.keep_values(run, slot, key, places) } else { Ok(()) }
    }

    fn text(&mut self, series: usize, scanned: &ScannedBlock, block: &Block) -> Result<(), StoreError> {
        let start = match &self.plan.axis {
            Axis::SinceStart(_) => Some(self.start_of(scanned)?),
            Axis::Calendar(_) => None,
        };
        if start.is_some() {
            self.recent = None; // it was another session's
        }
        let (times, places) = self.in_range(block)?;
        let group = self.group(scanned.user_id, Some(scanned.session_id));
        if let Some(first) = times[places.clone()].first() {
            self.note_point(series, group, *first);
        }
        let counts = self.keeps_values;
        let pointers = std::mem::take(&mut self.pointers[series]);
        for (place, point) in block.points(&pointers).enumerate().take(places.end).skip(places.start) {
            let Some(value) = point.value.unwrapped() else { continue };
            let sample =
                TextSample { order: (point.time, scanned.user_id, scanned.session_id, block.seq, place), value };
            let slot = self.slot(point.time, start);
            let (key, new) = ((slot.bucket, group), || Cell::Text(Box::new(TextTally::new(counts))));
            if slot.part == Part::Before && !self.may_show(series, key, std::iter::once(0)) {
                continue;
            }
            if let Cell::Text(tally) = self.row(series, slot.part, key, new)? {
                let kept = tally.push(sample);
                self.values += kept;
                self.bound_values()?;
            }
        }
        self.pointers[series] = pointers;
        Ok(())
    }

    fn scanned(&mut self, scanned: &ScannedBlock) -> Result<(), StoreError> {
        let Some(&series) = self.series_of.get(&scanned.metric_type) else {
            return Ok(());
        };
        match &scanned.content {
            BlockContent::Summaries(summaries) => self.summaries(series, scanned, summaries),
            BlockContent::Whole(block) if self.plan.series[series].metric_type.channels.is_empty() => {
                self.text(series, scanned, block)
            }
            BlockContent::Whole(block) => self.numbers(series, scanned, block),
        }
    }
}
