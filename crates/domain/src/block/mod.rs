//! Blocks: the points of one series, in one session, inside one UTC day, as columns.

mod append;
mod columns;
mod cut;
mod numbers;
mod points;
mod remainder;
mod times;

pub use append::{BlockHead, Cluster, SMALL_BLOCK_POINTS, plan_append};
pub(crate) use columns::Column;
pub use columns::SeriesColumns;
pub use cut::cut;
pub(crate) use cut::cut_values;
pub use numbers::{Numbers, NumbersError};
pub use points::BlockPoint;
pub(crate) use remainder::join;
pub use remainder::{Remainder, RemainderError};
pub use times::{Spacing, TimeUnit, Times, TimesError};

use crate::{MetricTypeId, Sample, Summary, Timestamp};

/// The most points of a block.
pub const MAX_BLOCK_POINTS: usize = 4_096;
/// Blocks of fewer points have no stored summaries: reading their arrays is as quick.
pub const MIN_SUMMARISED_POINTS: usize = 16;

/// Points of one series, session and UTC day, ordered by (time, arrival): the unit of storage.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The series.
    pub metric_type: MetricTypeId,
    /// Its number within the session; among equal times a lower number arrived earlier.
    pub seq: u32,
    /// When.
    pub times: Times,
    /// How much, by channel.
    pub numbers: Numbers,
    /// What no channel gives back.
    pub remainder: Remainder,
}

impl Block {
    /// How many points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.times.len()
    }

    /// What tells whether points that are appended change it.
    #[must_use]
    pub fn head(&self) -> BlockHead {
        BlockHead {
            seq: self.seq,
            t_min: self.t_min(),
            t_max: self.t_max(),
            points: self.len(),
        }
    }

    /// The memory that its arrays take, in bytes.
    #[must_use]
    pub const fn heap_bytes(&self) -> usize {
        self.times.heap_bytes() + self.numbers.heap_bytes() + self.remainder.heap_bytes()
    }

    /// Never true for a block that was cut.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples of a channel in time order, nulls left out.
    pub fn samples(&self, channel: usize) -> impl Iterator<Item = Sample> + '_ {
        let values = self.numbers.channel(channel, self.len());
        self.times
            .iter()
            .zip(values)
            .filter_map(|(time, value)| value.map(|value| Sample { time, value }))
    }

    /// The summary of each channel.
    #[must_use]
    pub fn summarise(&self) -> Vec<Summary> {
        let channels = 0..self.numbers.channels();
        channels.map(|c| self.samples(c).collect()).collect()
    }

    /// The time of its first point.
    #[must_use]
    pub const fn t_min(&self) -> Timestamp {
        self.times.first()
    }

    /// The time of its last point.
    #[must_use]
    pub fn t_max(&self) -> Timestamp {
        self.times.last()
    }
}
