//! Rows of a fold: groups, slots and the creation and merging of bucket states.

use std::collections::btree_map::Entry;

use super::accumulator::BucketState;
use super::fold::{Fold, VALUE_BYTES};
use super::rows::{BucketSlot, RangePart, offset};
use crate::ports::StoreError;
use crate::query::answer::Group;
use crate::query::spec::{Axis, GroupBy};
use crate::{SessionId, Summary, Timestamp, UserId};

/// Multiple of the row limit up to which rows are counted for the error message. The scan ends
/// there.
const COUNTED: usize = 2;

impl Fold<'_> {
    /// Returns the number of the group that points of a session belong to.
    pub(super) fn group(&mut self, user: UserId, session: Option<SessionId>) -> u32 {
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

    /// Returns the state of a bucket, created by `new` if absent. Rows beyond the limit are only
    /// counted; far beyond it, the scan ends.
    pub(super) fn row(
        &mut self,
        series: usize,
        part: RangePart,
        key: (Timestamp, u32),
        new: impl FnOnce() -> BucketState,
    ) -> Result<&mut BucketState, StoreError> {
        let (count, limit) = (self.rows, self.limits.rows);
        let bytes = self.bytes + self.row_bytes[series];
        match self.table.rows(part, series).entry(key) {
            Entry::Occupied(row) => Ok(row.into_mut()),
            Entry::Vacant(_) if count >= limit.saturating_mul(COUNTED) => Err(StoreError::Stopped),
            Entry::Vacant(row) => {
                if let Err(exceeded) = self.memory.grow_to(bytes + VALUE_BYTES * self.values) {
                    self.exceeded = Some(exceeded);
                    return Err(StoreError::Stopped);
                }
                (self.rows, self.bytes) = (count + 1, bytes);
                Ok(row.insert(if count >= limit {
                    BucketState::Counted
                } else {
                    new()
                }))
            }
        }
    }

    /// Returns whether a bucket of the lookback may be the last of its group that has one of these
    /// leaves. Removes buckets that are no longer the last of any leaf.
    pub(super) fn may_show(
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
                && let Some(state) = self
                    .table
                    .rows(RangePart::Lookback, series)
                    .remove(&(known, group))
            {
                self.rows -= 1;
                self.bytes -= self.row_bytes[series];
                self.values -= state.retained();
            }
        }
        may_show
    }

    /// Records the time of a point, with or without a number.
    pub(super) fn note_point(
        &mut self,
        series: usize,
        part: RangePart,
        group: u32,
        time: Timestamp,
    ) {
        if let Some(first_points) = &mut self.first_points {
            let first = first_points.entry((part, series, group)).or_insert(time);
            *first = time.min(*first);
        }
    }

    /// Returns the slot of an instant. `start` is the start of the session if the axis counts from
    /// it.
    pub(super) fn slot(&mut self, t: Timestamp, start: Option<Timestamp>) -> BucketSlot {
        if let Some(recent) = self.recent.filter(|r| r.contains(t)) {
            return recent;
        }
        let slot = match (&self.plan.axis, start) {
            (Axis::SinceStart(offsets), Some(start)) => {
                let bucket = offsets.bucket(offset(t, start));
                let at = |edge: Timestamp| start.plus_micros(edge.micros());
                BucketSlot {
                    part: RangePart::Requested,
                    bucket: bucket.start(),
                    from: at(bucket.start()),
                    until: at(bucket.end()),
                }
            }
            (axis, _) => {
                let bucket = axis.bucket(t);
                let (start, end) = (bucket.start(), bucket.end());
                let range_start = self.plan.range_start;
                if t < range_start {
                    BucketSlot {
                        part: RangePart::Lookback,
                        bucket: start,
                        from: start,
                        until: end.min(range_start),
                    }
                } else {
                    BucketSlot {
                        part: RangePart::Requested,
                        bucket: start,
                        from: start.max(range_start),
                        until: end,
                    }
                }
            }
        };
        self.recent = Some(slot);
        slot
    }

    /// Merges summaries, each with its channel, into a bucket.
    pub(super) fn merge(
        &mut self,
        series: usize,
        part: RangePart,
        key: (Timestamp, u32),
        summaries: impl Iterator<Item = (usize, Summary)> + Clone,
    ) -> Result<(), StoreError> {
        if part == RangePart::Lookback {
            let leaves = summaries
                .clone()
                .filter(|(_, summary)| summary.count() > 0)
                .map(|(channel, _)| channel);
            if !self.may_show(series, key, leaves) {
                return Ok(());
            }
        }
        let channels = self.plan.series[series].metric_type.channels.len();
        let retains_values = self.retains_values;
        let new = || BucketState::of_numbers(channels, retains_values);
        if let BucketState::Numbers(accumulators) = self.row(series, part, key, new)? {
            for (channel, summary) in summaries {
                if let Some(accumulator) = accumulators.get_mut(channel) {
                    accumulator.summary.merge(&summary);
                }
            }
        }
        Ok(())
    }
}
