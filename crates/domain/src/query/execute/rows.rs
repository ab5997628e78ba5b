//! Rows of bucket states, and the slots and groups that locate them.

use std::collections::{BTreeMap, HashMap};

use super::accumulator::BucketState;
use crate::Timestamp;
use crate::query::answer::Group;

/// Bucket states by bucket start and group number.
pub(in crate::query) type Rows = BTreeMap<(Timestamp, u32), BucketState>;

/// A part of the range that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::query) enum RangePart {
    /// The lookback before the range.
    Lookback,
    /// The requested range.
    Requested,
}

/// The rows of every series, by index of the series in the plan.
pub(super) struct Table {
    pub(super) lookback: Vec<Rows>,
    pub(super) requested: Vec<Rows>,
}

impl Table {
    pub(super) fn new(series: usize) -> Self {
        let rows = || std::iter::repeat_with(Rows::new).take(series).collect();
        Self {
            lookback: rows(),
            requested: rows(),
        }
    }

    pub(super) fn states(&mut self) -> impl Iterator<Item = &mut BucketState> {
        self.lookback
            .iter_mut()
            .chain(&mut self.requested)
            .flat_map(BTreeMap::values_mut)
    }

    pub(super) fn rows(&mut self, part: RangePart, series: usize) -> &mut Rows {
        match part {
            RangePart::Lookback => &mut self.lookback[series],
            RangePart::Requested => &mut self.requested[series],
        }
    }
}

/// Returns the time since a session's start, as an instant of the session's axis.
pub(super) const fn offset(t: Timestamp, start: Timestamp) -> Timestamp {
    Timestamp::from_micros(t.micros() - start.micros())
}

/// The bucket and the part of the range that a point falls into.
#[derive(Debug, Clone, Copy)]
pub(super) struct BucketSlot {
    pub(super) part: RangePart,
    /// The start of the bucket on the axis.
    pub(super) bucket: Timestamp,
    /// The first instant of the bucket in this part of the range.
    pub(super) from: Timestamp,
    /// The first instant after the bucket in this part of the range.
    pub(super) until: Timestamp,
}

impl BucketSlot {
    pub(super) const fn contains(&self, t: Timestamp) -> bool {
        self.from.micros() <= t.micros() && t.micros() < self.until.micros()
    }
}

/// The groups, numbered in the order of their first appearance.
#[derive(Default)]
pub(super) struct Groups {
    numbers: HashMap<Group, u32>,
    groups: Vec<Group>,
}

impl Groups {
    pub(super) fn number(&mut self, group: Group) -> u32 {
        let next = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(group).or_insert_with(|| {
            self.groups.push(group);
            next
        })
    }

    pub(super) fn into_list(self) -> Vec<Group> {
        self.groups
    }
}
