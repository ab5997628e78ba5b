//! Folds what a scan finds into buckets.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::answer::{AggregateAnswer, BucketRow, Cell, SeriesAnswer, TextSample, TextSummary};
use super::plan::Plan;
use crate::block::Block;
use crate::bucket::{Bucket, Calendar};
use crate::channel::{ChannelId, Pointer};
use crate::ports::{BlockContent, ScanSink, ScannedBlock, StoreError};
use crate::{Json, MetricTypeId, SessionId, Summary, Timestamp};

/// Rows are counted up to so many times the limit, to be told; then the scan is ended.
const COUNTED: usize = 10;

/// Takes a scan's findings; gives the rows of the answer.
pub(super) struct Fold<'a> {
    calendar: &'a Calendar,
    plan: &'a Plan,
    /// By place in the plan's series.
    rows: Vec<BTreeMap<Timestamp, Cell>>,
    series_of: HashMap<MetricTypeId, usize>,
    channel_of: HashMap<ChannelId, (usize, usize)>,
    pointers: Vec<Vec<Pointer>>,
    /// The bucket last used: points come mostly in order.
    recent: Bucket,
    /// How many rows there are, and may be.
    count: usize,
    max_rows: usize,
}

impl<'a> Fold<'a> {
    pub(super) fn new(calendar: &'a Calendar, plan: &'a Plan, max_rows: usize) -> Self {
        let series = || plan.series.iter().enumerate();
        let channels =
            series().flat_map(|(s, t)| t.channels.iter().enumerate().map(move |(c, channel)| (channel.id, (s, c))));
        Self {
            rows: vec![BTreeMap::new(); plan.series.len()],
            series_of: series().map(|(s, t)| (t.id, s)).collect(),
            channel_of: channels.collect(),
            pointers: plan.series.iter().map(|t| t.pointers()).collect(),
            recent: Bucket { start: Timestamp::MIN, end: Timestamp::MIN },
            calendar,
            plan,
            count: 0,
            max_rows,
        }
    }

    /// How many rows the answer would have; beyond the limit they are counted and not kept.
    pub(super) const fn rows(&self) -> usize {
        self.count
    }

    /// The row of a bucket, made by `new` if it is not there. Far beyond the limit the scan is ended.
    fn row(&mut self, series: usize, bucket: Timestamp, new: impl FnOnce() -> Cell) -> Result<&mut Cell, StoreError> {
        let full = self.count >= self.max_rows;
        match self.rows[series].entry(bucket) {
            Entry::Occupied(row) => Ok(row.into_mut()),
            Entry::Vacant(_) if self.count >= self.max_rows.saturating_mul(COUNTED) => Err(StoreError::Stopped),
            Entry::Vacant(row) => {
                self.count += 1;
                // An empty cell takes the place of one that is only counted.
                Ok(row.insert(if full { Cell::Numbers(Vec::new()) } else { new() }))
            }
        }
    }

    /// The rows, by series and bucket.
    pub(super) fn into_answer(self, version: u64) -> AggregateAnswer {
        let series = self.plan.series.iter().zip(self.rows).filter_map(|(metric_type, rows)| {
            let rows: Vec<BucketRow> = rows.into_iter().map(|(bucket, cell)| BucketRow { bucket, cell }).collect();
            (!rows.is_empty()).then(|| SeriesAnswer { metric_type: metric_type.clone(), rows })
        });
        AggregateAnswer { version, series: series.collect(), skipped: self.plan.skipped.clone() }
    }

    fn bucket(&mut self, t: Timestamp) -> Bucket {
        if !self.recent.holds(t) {
            self.recent = self.calendar.bucket(t);
        }
        self.recent
    }

    fn merge(&mut self, series: usize, channel: usize, bucket: Timestamp, summary: &Summary) -> Result<(), StoreError> {
        if summary.count() == 0 {
            return Ok(());
        }
        let channels = self.plan.series[series].channels.len();
        let cell = self.row(series, bucket, || Cell::Numbers(vec![Summary::EMPTY; channels]))?;
        if let Cell::Numbers(summaries) = cell
            && let Some(merged) = summaries.get_mut(channel)
        {
            merged.merge(summary);
        }
        Ok(())
    }

    fn summaries(&mut self, series: usize, block: &ScannedBlock, summaries: &[Summary]) -> Result<(), StoreError> {
        let bucket = self.bucket(block.t_min);
        if !bucket.holds(block.t_max)
            || !self.plan.range.contains(&block.t_min)
            || !self.plan.range.contains(&block.t_max)
        {
            return Err(StoreError::Inconsistent {
                table: "block",
                column: "summaries",
                problem: format!("the block at {} is cut but came without its arrays", block.t_min),
            });
        }
        for (channel, summary) in summaries.iter().enumerate() {
            self.merge(series, channel, bucket.start, summary)?;
        }
        Ok(())
    }

    fn numbers(&mut self, series: usize, block: &Block) -> Result<(), StoreError> {
        let range = self.plan.range.clone();
        for channel in 0..block.numbers.channels() {
            let mut run = Run { bucket: None, summary: Summary::EMPTY };
            for sample in block.samples(channel).filter(|s| range.contains(&s.time)) {
                let bucket = self.bucket(sample.time).start;
                if let Some((start, summary)) = run.enter(bucket) {
                    self.merge(series, channel, start, &summary)?;
                }
                run.summary.push(sample);
            }
            if let Some(start) = run.bucket {
                self.merge(series, channel, start, &run.summary)?;
            }
        }
        Ok(())
    }

    fn text(
        &mut self,
        series: usize,
        session: SessionId,
        block: &Block,
        range: &Range<Timestamp>,
    ) -> Result<(), StoreError> {
        let pointers = std::mem::take(&mut self.pointers[series]);
        for (place, point) in block.points(&pointers).enumerate() {
            if !range.contains(&point.time) {
                continue;
            }
            let Some(value) = unwrapped(point.value) else { continue };
            let sample = TextSample { order: (point.time, session, block.seq, place), value };
            let bucket = self.bucket(point.time).start;
            let is_new = !self.rows[series].contains_key(&bucket);
            let cell = self.row(series, bucket, || Cell::Text(Box::new(TextSummary::of(sample.clone()))))?;
            if let (false, Cell::Text(summary)) = (is_new, cell) {
                summary.push(sample);
            }
        }
        self.pointers[series] = pointers;
        Ok(())
    }
}

impl ScanSink for Fold<'_> {
    fn days(&mut self, channel: ChannelId, window: usize, summary: Summary) -> Result<(), StoreError> {
        let window = self.plan.request.days.as_ref().and_then(|days| days.windows.get(window));
        if let (Some(&(series, channel)), Some(window)) = (self.channel_of.get(&channel), window) {
            self.merge(series, channel, window.bucket, &summary)?;
        }
        Ok(())
    }

    fn block(&mut self, block: ScannedBlock) -> Result<(), StoreError> {
        let Some(&series) = self.series_of.get(&block.metric_type) else {
            return Ok(());
        };
        match &block.content {
            BlockContent::Summaries(summaries) => self.summaries(series, &block, summaries)?,
            BlockContent::Whole(whole) if self.plan.series[series].channels.is_empty() => {
                self.text(series, block.session_id, whole, &self.plan.range.clone())?;
            }
            BlockContent::Whole(whole) => self.numbers(series, whole)?,
        }
        Ok(())
    }
}

/// Samples of one bucket, summarised before they are merged.
struct Run {
    bucket: Option<Timestamp>,
    summary: Summary,
}

impl Run {
    /// Moves to a bucket; gives what was gathered if it is another one.
    fn enter(&mut self, bucket: Timestamp) -> Option<(Timestamp, Summary)> {
        if self.bucket == Some(bucket) {
            return None;
        }
        let left = self.bucket.replace(bucket)?;
        Some((left, std::mem::take(&mut self.summary)))
    }
}

/// A value whose only property is `value` is that property; null is no value.
fn unwrapped(value: Json) -> Option<Json> {
    let inner = match value {
        Json::Object(mut members) if members.len() == 1 && members.contains_key("value") => members.remove("value")?,
        other => other,
    };
    (inner != Json::Null).then_some(inner)
}
