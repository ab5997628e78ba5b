//! Reading points back out of a block.

use super::Block;
use super::remainder::join;
use crate::channel::Pointer;
use crate::{Json, Timestamp};

/// A point as it was accepted, spelling of numbers and order of keys aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPoint {
    /// When.
    pub time: Timestamp,
    /// The whole value.
    pub value: Json,
}

impl Block {
    /// The points in order, values put together again; `channels` are those of the metric type.
    pub fn points<'a>(&'a self, channels: &'a [Pointer]) -> impl Iterator<Item = BlockPoint> + 'a {
        let columns: Vec<Vec<Option<f64>>> = (0..self.numbers.channels())
            .map(|c| self.numbers.channel(c, self.len()).collect())
            .collect();
        self.times.iter().enumerate().map(move |(i, time)| {
            let numbers = columns.iter().map(|column| column[i]);
            BlockPoint {
                time,
                value: join(numbers, channels, self.remainder.get(i)),
            }
        })
    }

    /// The last point.
    #[must_use]
    pub fn last_point(&self, channels: &[Pointer]) -> Option<BlockPoint> {
        let place = self.len().checked_sub(1)?;
        let number = |c| {
            self.numbers
                .at(c, self.len(), place..place + 1)
                .next()
                .flatten()
        };
        let numbers = (0..self.numbers.channels()).map(number);
        Some(BlockPoint {
            time: self.t_max(),
            value: join(numbers, channels, self.remainder.get(place)),
        })
    }
}
