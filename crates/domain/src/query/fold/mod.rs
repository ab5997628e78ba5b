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
use std::time::Instant;

use self::holds::Holds;
pub use self::limits::{QueryLimits, Refusal};

pub(super) use self::rows::Rows;
use self::rows::{Groups, Part, Slot, Table, offset};
use self::run::Run;
pub(super) use self::run::passing;
pub(super) use self::tally::{Cell, Tally, TextSample, TextTally};
pub use self::values::{ABSOLUTE_ERROR, RELATIVE_ERROR};
pub(super) use self::values::{Values, runs};
use super::answer::{Group, Work};
use super::ask::{Accuracy, AggFunction, AggregateQuery, Axis, GroupBy};
use super::plan::Plan;
use crate::block::Block;
use crate::channel::{ChannelId, Pointer};
use crate::ports::{BlockContent, ScannedBlock, StoreError};
use crate::{MetricTypeId, SessionId, Summary, Timestamp, UserId};

/// Rows are counted up to so many times the limit, to be told; then the scan is ended.
const COUNTED: usize = 2;

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
    /// By series and group the last bucket of the lookback, where no other one shows in the answer.
    last_before: Option<HashMap<(usize, u32), Timestamp>>,
    /// The slot last used: points come mostly in order.
    recent: Option<Slot>,
    limits: QueryLimits,
    /// How many rows there are.
    rows: usize,
    /// How many values are kept.
    values: usize,
    /// Why the scan was ended.
    refusal: Option<Refusal>,
    work: Work,
    is_timed: bool,
}

/// What the rows are made of.
pub(super) struct Folded {
    pub(super) before: Vec<Rows>,
    pub(super) asked: Vec<Rows>,
    pub(super) groups: Vec<Group>,
}

impl<'a> Fold<'a> {
    pub(super) fn new(query: &AggregateQuery, plan: &'a Plan, limits: QueryLimits) -> Self {
        let series = || plan.series.iter().map(|s| &s.metric_type).enumerate();
        let channels =
            series().flat_map(|(s, t)| t.channels.iter().enumerate().map(move |(c, channel)| (channel.id, (s, c))));
        let exact = query.functions.iter().any(|f| f.needs_exact_values());
        Self {
            group_by: query.group_by,
            table: Table::new(plan.series.len()),
            groups: Groups::default(),
            holds: query.functions.contains(&AggFunction::TimeAvg).then(Holds::default),
            starts: HashMap::new(),
            series_of: series().map(|(s, t)| (t.id, s)).collect(),
            channel_of: channels.collect(),
            pointers: series().map(|(_, t)| t.pointers()).collect(),
            keeps_values: query.functions.iter().any(|f| f.needs_values()),
            may_sketch: query.accuracy == Accuracy::Approx && !exact,
            last_before: (query.over.is_empty() && !query.functions.contains(&AggFunction::TimeAvg)).then(HashMap::new),
            recent: None,
            limits,
            rows: 0,
            values: 0,
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

    /// The cells, once the scan is over, and what it took.
    pub(super) fn into_cells(mut self) -> Result<(Folded, Work), StoreError> {
        if let Some(holds) = self.holds.take() {
            holds.finish(&self.plan.axis, &mut self.table)?;
        }
        let Table { before, asked } = self.table;
        Ok((Folded { before, asked, groups: self.groups.into_list() }, self.work))
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

    fn group(&mut self, user: UserId, session: Option<SessionId>) -> u32 {
        self.groups.number(match self.group_by {
            GroupBy::Nothing => Group::default(),
            GroupBy::User => Group { user: Some(user), session: None },
            GroupBy::Session => Group { user: Some(user), session },
        })
    }

    /// The row of a bucket, made by `new` if it is not there; `None` of one that no answer shows. Far beyond the limit
    /// the scan is ended.
    fn row(
        &mut self,
        series: usize,
        part: Part,
        key: (Timestamp, u32),
        new: impl FnOnce() -> Cell,
    ) -> Result<Option<&mut Cell>, StoreError> {
        if part == Part::Before && !self.may_show(series, key) {
            return Ok(None);
        }
        let (count, limit) = (self.rows, self.limits.rows);
        match self.table.rows(part, series).entry(key) {
            Entry::Occupied(row) => Ok(Some(row.into_mut())),
            Entry::Vacant(_) if count >= limit.saturating_mul(COUNTED) => Err(StoreError::Stopped),
            Entry::Vacant(row) => {
                self.rows += 1;
                Ok(Some(row.insert(if count >= limit { Cell::Counted } else { new() })))
            }
        }
    }

    /// Whether a bucket of the lookback may be the last of its group; those before it are forgotten.
    fn may_show(&mut self, series: usize, (bucket, group): (Timestamp, u32)) -> bool {
        let Some(last_before) = &mut self.last_before else { return true };
        let last = last_before.entry((series, group)).or_insert(bucket);
        let known = std::mem::replace(last, bucket.max(*last));
        if known < bucket
            && let Some(cell) = self.table.rows(Part::Before, series).remove(&(known, group))
        {
            self.rows -= 1;
            self.values -= cell.kept();
        }
        known <= bucket
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
        summaries: impl Iterator<Item = (usize, Summary)>,
    ) -> Result<(), StoreError> {
        let (channels, keeps_values) = (self.plan.series[series].metric_type.channels.len(), self.keeps_values);
        let new = || Cell::Numbers(std::iter::repeat_with(|| Tally::new(keeps_values)).take(channels).collect());
        if let Some(Cell::Numbers(tallies)) = self.row(series, part, key, new)? {
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
        if summaries.iter().all(|s| s.count() == 0) {
            return Ok(());
        }
        let group = self.group(block.user_id, Some(block.session_id));
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
        self.merge(run.series, slot.part, key, summaries.into_iter().enumerate())?;
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
        let (_, places) = self.in_range(block)?;
        let group = self.group(scanned.user_id, Some(scanned.session_id));
        let counts = self.keeps_values;
        let pointers = std::mem::take(&mut self.pointers[series]);
        for (place, point) in block.points(&pointers).enumerate().take(places.end).skip(places.start) {
            let Some(value) = point.value.unwrapped() else { continue };
            let sample =
                TextSample { order: (point.time, scanned.user_id, scanned.session_id, block.seq, place), value };
            let slot = self.slot(point.time, start);
            let new = || Cell::Text(Box::new(TextTally::new(counts)));
            if let Some(Cell::Text(tally)) = self.row(series, slot.part, (slot.bucket, group), new)? {
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
