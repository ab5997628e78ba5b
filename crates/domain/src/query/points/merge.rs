//! Merges blocks that come in order of time into points in order of (time, series, session, arrival).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::ports::{BlockContent, LeafCondition, Order, ScannedBlock};
use crate::query::fold::passing;
use crate::{SessionId, Timestamp};

/// A block that is being read, one point after the other.
pub(super) struct OpenBlock {
    pub(super) scanned: ScannedBlock,
    /// The rank of its series by name.
    pub(super) series: usize,
    times: Vec<Timestamp>,
    passing: Option<Vec<bool>>,
    /// The numbers of each channel, by place.
    pub(super) numbers: Vec<Vec<Option<f64>>>,
    /// The place of the next point.
    pub(super) at: usize,
    order: Order,
}

/// The blocks whose points may come next.
pub(super) struct Merge {
    open: BinaryHeap<Next>,
    order: Order,
}

/// Where a point stands in the order of all.
pub(super) type Standing = (Timestamp, usize, SessionId, u32, usize);

struct Next {
    standing: Standing,
    order: Order,
    block: Box<OpenBlock>,
}

impl OpenBlock {
    /// Opens a block at its first point (or last, descending) that meets the conditions.
    pub(super) fn open(
        scanned: ScannedBlock,
        series: usize,
        conditions: &[LeafCondition],
        order: Order,
    ) -> Option<Self> {
        let BlockContent::Whole(block) = &scanned.content else {
            return None;
        };
        let times: Vec<Timestamp> = block.times.iter().collect();
        let passing = passing(conditions, block, 0..times.len());
        let channels = 0..block.numbers.channels();
        let numbers = channels
            .map(|c| block.numbers.channel(c, times.len()).collect())
            .collect();
        let at = match order {
            Order::Ascending => 0,
            Order::Descending => times.len() - 1,
        };
        let mut open = Self {
            scanned,
            series,
            times,
            passing,
            numbers,
            at,
            order,
        };
        (open.passes() || open.advance()).then_some(open)
    }

    fn passes(&self) -> bool {
        self.passing.as_ref().is_none_or(|passing| passing[self.at])
    }

    /// Goes to the next point that passes; false at the end.
    fn advance(&mut self) -> bool {
        loop {
            self.at = match self.order {
                Order::Ascending if self.at + 1 < self.times.len() => self.at + 1,
                Order::Descending if self.at > 0 => self.at - 1,
                _ => return false,
            };
            if self.passes() {
                return true;
            }
        }
    }

    pub(super) fn standing(&self) -> Standing {
        (
            self.times[self.at],
            self.series,
            self.scanned.session_id,
            self.scanned.seq,
            self.at,
        )
    }
}

impl Merge {
    pub(super) const fn new(order: Order) -> Self {
        Self {
            open: BinaryHeap::new(),
            order,
        }
    }

    pub(super) fn add(&mut self, block: OpenBlock) {
        self.open.push(Next {
            standing: block.standing(),
            order: self.order,
            block: Box::new(block),
        });
    }

    /// Gives `take` the next point, if it comes before every block that begins (descending: ends) at `bound`, or
    /// whatever comes where there is no bound. False if there is none.
    pub(super) fn next(
        &mut self,
        bound: Option<Timestamp>,
        take: impl FnOnce(&OpenBlock, Standing),
    ) -> bool {
        let Some(mut next) = self.open.peek_mut() else {
            return false;
        };
        let time = next.standing.0;
        let is_before = match (bound, self.order) {
            (None, _) => true,
            (Some(bound), Order::Ascending) => time < bound,
            (Some(bound), Order::Descending) => time > bound,
        };
        if !is_before {
            return false;
        }
        take(&next.block, next.standing);
        if next.block.advance() {
            next.standing = next.block.standing();
        } else {
            std::collections::binary_heap::PeekMut::pop(next);
        }
        true
    }
}

impl Ord for Next {
    /// The greatest comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.standing.cmp(&other.standing);
        match self.order {
            Order::Ascending => order.reverse(),
            Order::Descending => order,
        }
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Next {}
