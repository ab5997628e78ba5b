//! A block while its points are folded, and the filter on its points.

use std::ops::Range;

use crate::block::Block;
use crate::ports::{LeafCondition, ScannedBlock};
use crate::{Sample, Timestamp};

/// A block while its points are folded.
pub(super) struct BlockSlice<'a> {
    pub(super) series: usize,
    pub(super) group: u32,
    pub(super) scanned: &'a ScannedBlock,
    /// The session's start, if the axis counts from it.
    pub(super) start: Option<Timestamp>,
    pub(super) block: &'a Block,
    pub(super) times: &'a [Timestamp],
    /// For each point from index `offset` on, whether it meets the conditions; `None` if all do.
    pub(super) passing: Option<&'a [bool]>,
    pub(super) offset: usize,
}

impl BlockSlice<'_> {
    /// Returns the samples of a channel at the indices that meet the conditions.
    pub(super) fn samples(
        &self,
        channel: usize,
        indices: Range<usize>,
    ) -> impl Iterator<Item = Sample> + '_ {
        let values = self
            .block
            .numbers
            .at(channel, self.block.len(), indices.clone());
        let samples = indices.zip(values).filter(|(index, _)| self.passes(*index));
        samples.filter_map(|(index, value)| {
            value.map(|value| Sample {
                time: self.times[index],
                value,
            })
        })
    }

    /// Returns whether the point at `index` meets the conditions.
    pub(super) fn passes(&self, index: usize) -> bool {
        self.passing
            .is_none_or(|passing| passing[index - self.offset])
    }
}

/// Returns for each index whether the point meets all conditions; `None` without conditions.
pub(in crate::query) fn passing(
    conditions: &[LeafCondition],
    block: &Block,
    indices: Range<usize>,
) -> Option<Vec<bool>> {
    if conditions.is_empty() {
        return None;
    }
    let mut passing = vec![true; indices.len()];
    for condition in conditions {
        let mut values = block
            .numbers
            .at(condition.channel, block.len(), indices.clone());
        for passes in &mut passing {
            *passes &= values.next().flatten().is_some_and(|v| condition.admits(v));
        }
    }
    Some(passing)
}
