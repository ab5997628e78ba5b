//! Folds blocks: their summaries where those are enough, else their points.

use std::ops::Range;

use super::rows::{Part, Slot};
use super::run::{Run, passing};
use super::tally::{Cell, TextSample, TextTally};
use super::{Fold, Refusal};
use crate::block::Block;
use crate::ports::{BlockContent, ScannedBlock, StoreError};
use crate::query::ask::Axis;
use crate::{Summary, Timestamp};

impl Fold<'_> {
    fn summaries(
        &mut self,
        series: usize,
        block: &ScannedBlock,
        summaries: &[Summary],
    ) -> Result<(), StoreError> {
        self.work.block_summaries += 1;
        let slot = self.slot(block.t_min, None);
        let range = &self.plan.range;
        if !slot.holds(block.t_max)
            || !range.contains(&block.t_min)
            || !range.contains(&block.t_max)
        {
            return Err(StoreError::Corrupt {
                table: "block",
                column: "summaries",
                problem: format!(
                    "the block at {} is cut but came without its arrays",
                    block.t_min
                ),
            });
        }
        let group = self.group(block.user_id, Some(block.session_id));
        self.note_point(series, slot.part, group, block.t_min);
        if summaries.iter().all(|s| s.count() == 0) {
            return Ok(());
        }
        self.merge(
            series,
            slot.part,
            (slot.bucket, group),
            summaries.iter().copied().enumerate(),
        )
    }

    /// The places of a block's points that lie in the range, and their times.
    fn in_range(&mut self, block: &Block) -> Result<(Vec<Timestamp>, Range<usize>), StoreError> {
        let times: Vec<Timestamp> = block.times.iter().collect();
        let places = times.partition_point(|t| *t < self.plan.range.start)
            ..times.partition_point(|t| *t < self.plan.range.end);
        self.work.block_arrays += 1;
        self.work.points += places.len() as u64;
        if self.work.points > self.limits.points_read {
            return self.refuse(Refusal::Points {
                points: self.work.points,
                limit: self.limits.points_read,
            });
        }
        Ok((times, places))
    }

    /// Returns the session's start if the axis counts from it, and forgets the last slot, which was another session's.
    fn axis_start(&mut self, scanned: &ScannedBlock) -> Result<Option<Timestamp>, StoreError> {
        match &self.plan.axis {
            Axis::SinceStart(_) => {
                self.recent = None;
                self.start_of(scanned).map(Some)
            }
            Axis::Calendar(_) => Ok(None),
        }
    }

    fn numbers(
        &mut self,
        series: usize,
        scanned: &ScannedBlock,
        block: &Block,
    ) -> Result<(), StoreError> {
        let start = self.axis_start(scanned)?;
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
            let until = from
                + times[from..places.end]
                    .partition_point(|t| *t < slot.until)
                    .max(1);
            self.run(&run, slot, from..until)?;
            from = until;
        }
        if self.holds.is_some() {
            self.hold(&run, places)?;
        }
        Ok(())
    }

    fn start_of(&self, scanned: &ScannedBlock) -> Result<Timestamp, StoreError> {
        let start = self
            .starts
            .get(&(scanned.user_id, scanned.session_id))
            .copied();
        start.ok_or_else(|| StoreError::Corrupt {
            table: "session",
            column: "t_min",
            problem: format!(
                "session {} has a block but was not found",
                scanned.session_id
            ),
        })
    }

    /// Points of a block that all fall into one bucket.
    fn run(&mut self, run: &Run<'_>, slot: Slot, places: Range<usize>) -> Result<(), StoreError> {
        if let Some(first) = places.clone().find(|place| run.passes(*place)) {
            self.note_point(run.series, slot.part, run.group, run.times[first]);
        }
        let channels = self.plan.series[run.series].metric_type.channels.len();
        let summaries: Vec<Summary> = (0..channels)
            .map(|c| run.samples(c, places.clone()).collect())
            .collect();
        if summaries.iter().all(|s| s.count() == 0) {
            return Ok(());
        }
        let key = (slot.bucket, run.group);
        self.merge(
            run.series,
            slot.part,
            key,
            summaries.iter().copied().enumerate(),
        )?;
        if self.keeps_values {
            self.keep_values(run, slot, key, places)
        } else {
            Ok(())
        }
    }

    fn text(
        &mut self,
        series: usize,
        scanned: &ScannedBlock,
        block: &Block,
    ) -> Result<(), StoreError> {
        let start = self.axis_start(scanned)?;
        let (_, places) = self.in_range(block)?;
        let group = self.group(scanned.user_id, Some(scanned.session_id));
        let counts = self.keeps_values;
        let pointers = std::mem::take(&mut self.pointers[series]);
        for (place, point) in block
            .points(&pointers)
            .enumerate()
            .take(places.end)
            .skip(places.start)
        {
            let slot = self.slot(point.time, start);
            self.note_point(series, slot.part, group, point.time);
            let Some(value) = point.value.unwrapped() else {
                continue;
            };
            let sample = TextSample {
                order: (
                    point.time,
                    scanned.user_id,
                    scanned.session_id,
                    block.seq,
                    place,
                ),
                value,
            };
            let (key, new) = ((slot.bucket, group), || {
                Cell::Text(Box::new(TextTally::new(counts)))
            });
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

    pub(super) fn scanned(&mut self, scanned: &ScannedBlock) -> Result<(), StoreError> {
        let Some(&series) = self.series_of.get(&scanned.metric_type) else {
            return Ok(());
        };
        match &scanned.content {
            BlockContent::Summaries(summaries) => self.summaries(series, scanned, summaries),
            BlockContent::Whole(block)
                if self.plan.series[series].metric_type.channels.is_empty() =>
            {
                self.text(series, scanned, block)
            }
            BlockContent::Whole(block) => self.numbers(series, scanned, block),
        }
    }
}
