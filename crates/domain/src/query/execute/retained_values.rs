//! Retains values and time-weighted intervals for functions that summaries do not answer.

use std::ops::Range;

use super::accumulator::BucketState;
use super::block_slice::BlockSlice;
use super::fold::Fold;
use super::rows::{BucketSlot, RangePart};
use super::time_weighted::{TimeWeighted, TrackKey};
use crate::ports::StoreError;
use crate::query::limits::{BUCKETS, LimitExceeded};
use crate::{Sample, Timestamp};

/// Minimum value of the limit for all buckets together where sketches bound the values of each
/// bucket.
const APPROXIMATE_VALUES: usize = 1_000_000;

impl Fold<'_> {
    /// Retains the values of a slice of a block whose points fall into one bucket.
    pub(super) fn retain_values(
        &mut self,
        slice: &BlockSlice<'_>,
        slot: BucketSlot,
        key: (Timestamp, u32),
        indices: Range<usize>,
    ) -> Result<(), StoreError> {
        let Some(BucketState::Numbers(accumulators)) =
            self.table.rows(slot.part, slice.series).get_mut(&key)
        else {
            return Ok(());
        };
        let limit = self.limits.bucket_values;
        let mut exceeded = None;
        for (channel, accumulator) in accumulators.iter_mut().enumerate() {
            let Some(values) = &mut accumulator.values else {
                continue;
            };
            let retained = values.retained();
            for sample in slice.samples(channel, indices.clone()) {
                values.push(sample.value);
            }
            let in_bucket = values.retained();
            if in_bucket > limit && self.may_sketch {
                values.sketch();
            } else if in_bucket > limit {
                exceeded = Some(LimitExceeded::Values {
                    in_bucket: true,
                    values: in_bucket as u64,
                    limit,
                });
            }
            self.values = self.values + values.retained() - retained;
        }
        match exceeded {
            Some(exceeded) => self.exceed(exceeded),
            None => self.bound_values(),
        }
    }

    /// Sketches the largest lists of values, or ends the scan, if all buckets together retain too
    /// many values.
    pub(super) fn bound_values(&mut self) -> Result<(), StoreError> {
        let limit = self.limits.bucket_values;
        let most = limit.saturating_mul(BUCKETS).max(if self.may_sketch {
            APPROXIMATE_VALUES
        } else {
            0
        });
        if self.values <= most {
            return self.reserve();
        }
        if self.may_sketch {
            self.table.states().for_each(BucketState::sketch);
            self.values = self.table.states().map(|state| state.retained()).sum();
            // Otherwise every further block would go through all buckets again.
            if self.values <= most / 2 {
                return self.reserve();
            }
        }
        self.exceed(LimitExceeded::Values {
            in_bucket: false,
            values: self.values as u64,
            limit,
        })
    }

    /// Adds the time-weighted intervals within a block, once its points have rows.
    pub(super) fn track_intervals(
        &mut self,
        slice: &BlockSlice<'_>,
        indices: Range<usize>,
    ) -> Result<(), StoreError> {
        for channel in 0..self.plan.series[slice.series].metric_type.channels.len() {
            let mut by_part: Vec<(RangePart, Vec<(Sample, BucketSlot)>)> = Vec::new();
            for sample in slice.samples(channel, indices.clone()) {
                let slot = self.slot(sample.time, slice.start);
                match by_part.last_mut() {
                    Some((part, samples)) if *part == slot.part => samples.push((sample, slot)),
                    _ => by_part.push((slot.part, vec![(sample, slot)])),
                }
            }
            for (part, samples) in by_part {
                let (user, session) = (slice.scanned.user_id, slice.scanned.session_id);
                let track = TrackKey {
                    user,
                    session,
                    series: slice.series,
                    channel,
                    part,
                    group: slice.group,
                };
                let rows = self.table.rows(part, slice.series);
                if let Some(time_weighted) = &mut self.time_weighted {
                    time_weighted.add_block(track, slice.block.seq, slice.start, &samples, rows);
                }
            }
        }
        let retained = self
            .time_weighted
            .as_ref()
            .map_or(0, TimeWeighted::retained);
        let limit = self.limits.bucket_values;
        if retained > limit.saturating_mul(BUCKETS) {
            return self.exceed(LimitExceeded::Values {
                in_bucket: false,
                values: retained as u64,
                limit,
            });
        }
        self.reserve()
    }
}
