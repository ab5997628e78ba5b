//! Folds blocks: their summaries where these suffice, their points otherwise.

use std::ops::Range;

use super::accumulator::BucketState;
use super::block_slice::{BlockSlice, passing};
use super::fold::Fold;
use super::rows::{BucketSlot, RangePart};
use super::text_accumulator::{TextAccumulator, TextSample};
use crate::block::Block;
use crate::ports::{BlockContent, ScannedBlock, StoreError};
use crate::query::limits::LimitExceeded;
use crate::query::spec::Axis;
use crate::{Summary, Timestamp};

impl Fold<'_> {
    /// Folds a block of which only the summaries were read.
    fn summaries(
        &mut self,
        series: usize,
        block: &ScannedBlock,
        summaries: &[Summary],
    ) -> Result<(), StoreError> {
        self.stats.block_summaries += 1;
        let slot = self.slot(block.t_min, None);
        let range = &self.plan.range;
        if !slot.contains(block.t_max)
            || !range.contains(&block.t_min)
            || !range.contains(&block.t_max)
        {
            return Err(StoreError::Corrupt {
                table: "block",
                column: "summaries",
                problem: format!(
                    "a bucket edge cuts the block at {}, which was read without its arrays",
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

    /// Returns the times of a block's points, and the indices of those that lie in the range.
    fn in_range(&mut self, block: &Block) -> Result<(Vec<Timestamp>, Range<usize>), StoreError> {
        let times: Vec<Timestamp> = block.times.iter().collect();
        let indices = times.partition_point(|t| *t < self.plan.range.start)
            ..times.partition_point(|t| *t < self.plan.range.end);
        self.stats.block_arrays += 1;
        self.stats.points += indices.len() as u64;
        if self.stats.points > self.limits.points_read {
            return self.exceed(LimitExceeded::Points {
                points: self.stats.points,
                limit: self.limits.points_read,
            });
        }
        Ok((times, indices))
    }

    /// Returns the session's start if the axis counts from it, and discards the recent slot, which
    /// may be of another session.
    fn axis_start(&mut self, scanned: &ScannedBlock) -> Result<Option<Timestamp>, StoreError> {
        match &self.plan.axis {
            Axis::SinceStart(_) => {
                self.recent = None;
                self.start_of(scanned).map(Some)
            }
            Axis::Calendar(_) => Ok(None),
        }
    }

    /// Folds the points of a block of numbers.
    fn numbers(
        &mut self,
        series: usize,
        scanned: &ScannedBlock,
        block: &Block,
    ) -> Result<(), StoreError> {
        let start = self.axis_start(scanned)?;
        let (times, indices) = self.in_range(block)?;
        let passing = passing(&self.plan.series[series].conditions, block, indices.clone());
        let group = self.group(scanned.user_id, Some(scanned.session_id));
        let slice = BlockSlice {
            series,
            group,
            scanned,
            start,
            block,
            times: &times,
            passing: passing.as_deref(),
            offset: indices.start,
        };
        let mut from = indices.start;
        while from < indices.end {
            let slot = self.slot(times[from], start);
            // At least one point, even if the slot of an extreme time is clipped at the last
            // timestamp.
            let until = from
                + times[from..indices.end]
                    .partition_point(|t| *t < slot.until)
                    .max(1);
            self.fold_slice(&slice, slot, from..until)?;
            from = until;
        }
        if self.time_weighted.is_some() {
            self.track_intervals(&slice, indices)?;
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
                "session {} has a block but no row in the table session",
                scanned.session_id
            ),
        })
    }

    /// Folds points of a block that all fall into one bucket.
    fn fold_slice(
        &mut self,
        slice: &BlockSlice<'_>,
        slot: BucketSlot,
        indices: Range<usize>,
    ) -> Result<(), StoreError> {
        if let Some(first) = indices.clone().find(|index| slice.passes(*index)) {
            self.note_point(slice.series, slot.part, slice.group, slice.times[first]);
        }
        let channels = self.plan.series[slice.series].metric_type.channels.len();
        let summaries: Vec<Summary> = (0..channels)
            .map(|c| slice.samples(c, indices.clone()).collect())
            .collect();
        if summaries.iter().all(|s| s.count() == 0) {
            return Ok(());
        }
        let key = (slot.bucket, slice.group);
        self.merge(
            slice.series,
            slot.part,
            key,
            summaries.iter().copied().enumerate(),
        )?;
        if self.retains_values {
            self.retain_values(slice, slot, key, indices)
        } else {
            Ok(())
        }
    }

    /// Folds the points of a block without channels.
    fn text(
        &mut self,
        series: usize,
        scanned: &ScannedBlock,
        block: &Block,
    ) -> Result<(), StoreError> {
        let start = self.axis_start(scanned)?;
        let (_, indices) = self.in_range(block)?;
        let group = self.group(scanned.user_id, Some(scanned.session_id));
        let counts = self.retains_values;
        let pointers = std::mem::take(&mut self.pointers[series]);
        for (index, point) in block
            .points(&pointers)
            .enumerate()
            .take(indices.end)
            .skip(indices.start)
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
                    index,
                ),
                value,
            };
            let (key, new) = ((slot.bucket, group), || {
                BucketState::Text(Box::new(TextAccumulator::new(counts)))
            });
            if slot.part == RangePart::Lookback && !self.may_show(series, key, std::iter::once(0)) {
                continue;
            }
            if let BucketState::Text(accumulator) = self.row(series, slot.part, key, new)? {
                let retained = accumulator.push(sample);
                self.values += retained;
                self.bound_values()?;
            }
        }
        self.pointers[series] = pointers;
        Ok(())
    }

    /// Folds one block.
    pub(super) fn block(&mut self, scanned: &ScannedBlock) -> Result<(), StoreError> {
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
