//! A block while its points are folded.

use std::ops::Range;

use crate::block::Block;
use crate::ports::{LeafCondition, ScannedBlock};
use crate::{Sample, Timestamp};

/// A block while its points are folded.
pub(super) struct Run<'a> {
    pub(super) series: usize,
    pub(super) group: u32,
    pub(super) scanned: &'a ScannedBlock,
    /// The session's start, if the axis counts from it.
    pub(super) start: Option<Timestamp>,
    pub(super) block: &'a Block,
    pub(super) times: &'a [Timestamp],
    /// Which points meet the conditions, from place `offset` on; `None`: all.
    pub(super) passing: Option<&'a [bool]>,
    pub(super) offset: usize,
}

impl Run<'_> {
    /// The samples of a channel at some places, as far as they meet the conditions.
    pub(super) fn samples(
        &self,
        channel: usize,
        places: Range<usize>,
    ) -> impl Iterator<Item = Sample> + '_ {
        let values = self
            .block
            .numbers
            .at(channel, self.block.len(), places.clone());
        let samples = places.zip(values).filter(|(place, _)| self.passes(*place));
        samples.filter_map(|(place, value)| {
            value.map(|value| Sample {
                time: self.times[place],
                value,
            })
        })
    }

    /// Returns true if the point at `place` meets the conditions.
    pub(super) fn passes(&self, place: usize) -> bool {
        self.passing
            .is_none_or(|passing| passing[place - self.offset])
    }
}

/// Which points at some places meet all conditions; `None` without conditions.
pub(in crate::query) fn passing(
    conditions: &[LeafCondition],
    block: &Block,
    places: Range<usize>,
) -> Option<Vec<bool>> {
    if conditions.is_empty() {
        return None;
    }
    let mut passing = vec![true; places.len()];
    for condition in conditions {
        let mut values = block
            .numbers
            .at(condition.channel, block.len(), places.clone());
        for passes in &mut passing {
            *passes &= values.next().flatten().is_some_and(|v| condition.admits(v));
        }
    }
    Some(passing)
}
