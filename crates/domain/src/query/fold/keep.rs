//! Keeps values and holding times for functions that summaries do not answer, within the limits.

use std::ops::Range;

use super::holds::{Holds, Track};
use super::limits::BUCKETS;
use super::rows::{Part, Slot};
use super::run::Run;
use super::{Cell, Fold, Refusal};
use crate::ports::StoreError;
use crate::{Sample, Timestamp};

/// So many values may be kept in all where sketches bound those of each bucket, even if a bucket may keep few.
const APPROXIMATE_VALUES: usize = 1_000_000;

impl Fold<'_> {
    pub(super) fn keep_values(
        &mut self,
        run: &Run<'_>,
        slot: Slot,
        key: (Timestamp, u32),
        places: Range<usize>,
    ) -> Result<(), StoreError> {
        let Some(Cell::Numbers(tallies)) = self.table.rows(slot.part, run.series).get_mut(&key)
        else {
            return Ok(());
        };
        let limit = self.limits.bucket_values;
        let mut refusal = None;
        for (channel, tally) in tallies.iter_mut().enumerate() {
            let Some(values) = &mut tally.values else {
                continue;
            };
            let kept = values.kept();
            for sample in run.samples(channel, places.clone()) {
                values.push(sample.value);
            }
            let in_bucket = values.kept();
            if in_bucket > limit && self.may_sketch {
                values.sketch();
            } else if in_bucket > limit {
                refusal = Some(Refusal::Values {
                    in_bucket: true,
                    values: in_bucket as u64,
                    limit,
                });
            }
            self.values = self.values + values.kept() - kept;
        }
        match refusal {
            Some(refusal) => self.refuse(refusal),
            None => self.bound_values(),
        }
    }

    /// Sketches what is worth it, or refuses, where too many values are kept in all buckets together.
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
            self.table.cells().for_each(Cell::sketch);
            self.values = self.table.cells().map(|cell| cell.kept()).sum();
            // Else the next values would have everything gone through again.
            if self.values <= most / 2 {
                return self.reserve();
            }
        }
        self.refuse(Refusal::Values {
            in_bucket: false,
            values: self.values as u64,
            limit,
        })
    }

    /// The holding times inside a block, once its points have rows.
    pub(super) fn hold(&mut self, run: &Run<'_>, places: Range<usize>) -> Result<(), StoreError> {
        for channel in 0..self.plan.series[run.series].metric_type.channels.len() {
            let mut by_part: Vec<(Part, Vec<(Sample, Slot)>)> = Vec::new();
            for sample in run.samples(channel, places.clone()) {
                let slot = self.slot(sample.time, run.start);
                match by_part.last_mut() {
                    Some((part, samples)) if *part == slot.part => samples.push((sample, slot)),
                    _ => by_part.push((slot.part, vec![(sample, slot)])),
                }
            }
            for (part, samples) in by_part {
                let (user, session) = (run.scanned.user_id, run.scanned.session_id);
                let track = Track {
                    user,
                    session,
                    series: run.series,
                    channel,
                    part,
                    group: run.group,
                };
                let rows = self.table.rows(part, run.series);
                if let Some(holds) = &mut self.holds {
                    holds.block(track, run.block.seq, run.start, &samples, rows);
                }
            }
        }
        let (kept, limit) = (
            self.holds.as_ref().map_or(0, Holds::kept),
            self.limits.bucket_values,
        );
        if kept > limit.saturating_mul(BUCKETS) {
            return self.refuse(Refusal::Values {
                in_bucket: false,
                values: kept as u64,
                limit,
            });
        }
        self.reserve()
    }
}
