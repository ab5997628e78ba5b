//! One block: columns of times, numbers and remainders.

use super::header::BlockHeader;
use super::numbers::Numbers;
use super::remainder::Remainder;
use super::times::Times;
use crate::{MetricTypeId, Sample, Summary, Timestamp};

/// Points of one series, session and UTC day, ordered by (time, arrival): the unit of storage.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The metric type of the points.
    pub metric_type: MetricTypeId,
    /// The number of the block within the session. Among equal times, points of the block with the
    /// lower number arrived earlier.
    pub seq: u32,
    /// The times of the points.
    pub times: Times,
    /// The numbers of the points, by channel.
    pub numbers: Numbers,
    /// The parts of the values that the channels do not contain.
    pub remainder: Remainder,
}

impl Block {
    /// Returns the number of points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.times.len()
    }

    /// Returns the header of the block.
    #[must_use]
    pub fn header(&self) -> BlockHeader {
        BlockHeader {
            seq: self.seq,
            t_min: self.t_min(),
            t_max: self.t_max(),
            points: self.len(),
        }
    }

    /// Returns the heap memory of the arrays, in bytes.
    #[must_use]
    pub const fn heap_bytes(&self) -> usize {
        self.times.heap_bytes() + self.numbers.heap_bytes() + self.remainder.heap_bytes()
    }

    /// Returns whether there are no points; always false for a block of [`cut`](super::cut()).
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the samples of a channel in time order, without absent numbers.
    pub fn samples(&self, channel: usize) -> impl Iterator<Item = Sample> + '_ {
        let values = self.numbers.channel(channel, self.len());
        self.times
            .iter()
            .zip(values)
            .filter_map(|(time, value)| value.map(|value| Sample { time, value }))
    }

    /// Returns the summary of each channel.
    #[must_use]
    pub fn summarise(&self) -> Vec<Summary> {
        let channels = 0..self.numbers.channels();
        channels.map(|c| self.samples(c).collect()).collect()
    }

    /// Returns the time of the first point.
    #[must_use]
    pub const fn t_min(&self) -> Timestamp {
        self.times.first()
    }

    /// Returns the time of the last point.
    #[must_use]
    pub fn t_max(&self) -> Timestamp {
        self.times.last()
    }
}
