//! The rows of one series while they are gathered.

use std::collections::{BTreeMap, HashMap};

use super::tally::Cell;
use crate::Timestamp;
use crate::query::answer::Group;

/// Rows by bucket and number of the group.
pub(in crate::query) type Rows = BTreeMap<(Timestamp, u32), Cell>;

/// The part of the range that a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::query) enum Part {
    /// The lookback before the range.
    Before,
    /// The range.
    Asked,
}

/// The rows of every series, by place in the plan.
pub(super) struct Table {
    pub(super) before: Vec<Rows>,
    pub(super) asked: Vec<Rows>,
}

impl Table {
    pub(super) fn new(series: usize) -> Self {
        let rows = || std::iter::repeat_with(Rows::new).take(series).collect();
        Self {
            before: rows(),
            asked: rows(),
        }
    }

    pub(super) fn cells(&mut self) -> impl Iterator<Item = &mut Cell> {
        self.before
            .iter_mut()
            .chain(&mut self.asked)
            .flat_map(BTreeMap::values_mut)
    }

    pub(super) fn rows(&mut self, part: Part, series: usize) -> &mut Rows {
        match part {
            Part::Before => &mut self.before[series],
            Part::Asked => &mut self.asked[series],
        }
    }
}

/// The time since a session's start, as an instant of the session's axis.
pub(super) const fn offset(t: Timestamp, start: Timestamp) -> Timestamp {
    Timestamp::from_micros(t.micros() - start.micros())
}

/// Where a point falls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) part: Part,
    /// The start of the bucket on the axis.
    pub(super) bucket: Timestamp,
    /// The first instant of the bucket in this part of the range, and the first after it.
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Slot {
    pub(super) const fn holds(&self, t: Timestamp) -> bool {
        self.from.micros() <= t.micros() && t.micros() < self.until.micros()
    }
}

/// Numbers groups as they come.
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
