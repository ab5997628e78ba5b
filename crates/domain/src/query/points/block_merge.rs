//! Merges blocks in order of time into points in order of (time, series, session, arrival).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::ports::{BlockContent, LeafCondition, Order, ScannedBlock};
use crate::query::execute::passing;
use crate::{SessionId, Timestamp};

/// A block with the position of the next point to read.
pub(super) struct BlockCursor {
    pub(super) scanned: ScannedBlock,
    /// The rank of the series by name.
    pub(super) series: usize,
    times: Vec<Timestamp>,
    passing: Option<Vec<bool>>,
    /// The numbers of each channel, by index of the point.
    pub(super) numbers: Vec<Vec<Option<f64>>>,
    /// The index of the next point.
    pub(super) at: usize,
    order: Order,
}

/// A heap of blocks, ordered by their next point.
pub(super) struct BlockMerge {
    open: BinaryHeap<Next>,
    order: Order,
}

/// The sort key of a point among all points of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PointKey {
    pub(super) time: Timestamp,
    /// The rank of the series by name.
    pub(super) series: usize,
    pub(super) session_id: SessionId,
    /// The sequence number of the block in the session.
    seq: u32,
    /// The index of the point in the block.
    index: usize,
}

struct Next {
    key: PointKey,
    order: Order,
    block: Box<BlockCursor>,
}

impl PointKey {
    /// Returns the part of the key that does not depend on the order of arrival.
    pub(super) const fn without_arrival(self) -> (Timestamp, usize, SessionId) {
        (self.time, self.series, self.session_id)
    }
}

impl BlockCursor {
    /// Opens a block at the first point, or in descending order the last, that meets the
    /// conditions.
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

    /// Advances to the next point that meets the conditions; false at the end.
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

    /// Returns the sort key of the next point.
    pub(super) fn key(&self) -> PointKey {
        PointKey {
            time: self.times[self.at],
            series: self.series,
            session_id: self.scanned.session_id,
            seq: self.scanned.seq,
            index: self.at,
        }
    }
}

impl BlockMerge {
    pub(super) const fn new(order: Order) -> Self {
        Self {
            open: BinaryHeap::new(),
            order,
        }
    }

    pub(super) fn add(&mut self, block: BlockCursor) {
        self.open.push(Next {
            key: block.key(),
            order: self.order,
            block: Box::new(block),
        });
    }

    /// Calls `take` with the next point if it precedes every block that begins (descending: ends)
    /// at `bound`, or if there is no bound. Returns false if there is no such point.
    pub(super) fn next(
        &mut self,
        bound: Option<Timestamp>,
        take: impl FnOnce(&BlockCursor, PointKey),
    ) -> bool {
        let Some(mut next) = self.open.peek_mut() else {
            return false;
        };
        let time = next.key.time;
        let is_before = match (bound, self.order) {
            (None, _) => true,
            (Some(bound), Order::Ascending) => time < bound,
            (Some(bound), Order::Descending) => time > bound,
        };
        if !is_before {
            return false;
        }
        take(&next.block, next.key);
        if next.block.advance() {
            next.key = next.block.key();
        } else {
            std::collections::binary_heap::PeekMut::pop(next);
        }
        true
    }
}

impl Ord for Next {
    /// Orders the next point to read as the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.key.cmp(&other.key);
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
