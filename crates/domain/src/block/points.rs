//! Decoding the points of a block.

use super::block::Block;
use super::value::join;
use crate::json::Pointer;
use crate::{Json, Timestamp};

/// A point as it was accepted, except for the spelling of numbers and the order of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPoint {
    /// The time of the point.
    pub time: Timestamp,
    /// The whole value.
    pub value: Json,
}

impl Block {
    /// Returns the points in order, with restored values; `channels` are those of the metric type.
    pub fn points<'a>(&'a self, channels: &'a [Pointer]) -> impl Iterator<Item = BlockPoint> + 'a {
        let columns: Vec<Vec<Option<f64>>> = (0..self.numbers.channels())
            .map(|c| self.numbers.channel(c, self.len()).collect())
            .collect();
        self.times.iter().enumerate().map(move |(index, time)| {
            let numbers = columns.iter().map(|column| column[index]);
            BlockPoint {
                time,
                value: join(numbers, channels, self.remainder.get(index)),
            }
        })
    }

    /// Returns the last point.
    #[must_use]
    pub fn last_point(&self, channels: &[Pointer]) -> Option<BlockPoint> {
        let last = self.len().checked_sub(1)?;
        let number = |c| {
            self.numbers
                .at(c, self.len(), last..last + 1)
                .next()
                .flatten()
        };
        let numbers = (0..self.numbers.channels()).map(number);
        Some(BlockPoint {
            time: self.t_max(),
            value: join(numbers, channels, self.remainder.get(last)),
        })
    }
}
