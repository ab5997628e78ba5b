//! The points of one series of one session, turned into columns.

use std::ops::Range;

use super::Block;
use super::remainder::split;
use crate::channel::Pointer;
use crate::{Json, MetricTypeId, Timestamp, UtcDay};

/// Points of one series as columns, ordered by (time, arrival).
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesColumns {
    /// The series.
    pub metric_type: MetricTypeId,
    pub(super) times: Vec<Timestamp>,
    /// One column a channel, in the order of the metric type's channels.
    pub(super) channels: Vec<Vec<Option<f64>>>,
    pub(super) rests: Vec<Option<Json>>,
}

impl SeriesColumns {
    /// Sorts points, given in order of arrival, by time and splits their values into columns.
    #[must_use]
    pub fn new(metric_type: MetricTypeId, channels: &[Pointer], mut points: Vec<(Timestamp, Json)>) -> Self {
        points.sort_by_key(|(time, _)| *time); // stable: equal times keep their order of arrival
        let mut columns = Self {
            metric_type,
            times: Vec::with_capacity(points.len()),
            channels: vec![Vec::with_capacity(points.len()); channels.len()],
            rests: Vec::with_capacity(points.len()),
        };
        for (time, value) in points {
            let (numbers, rest) = split(value, channels);
            columns.times.push(time);
            for (column, number) in columns.channels.iter_mut().zip(numbers) {
                column.push(number);
            }
            columns.rests.push(rest);
        }
        columns
    }

    /// Points of numbers alone, a column a channel, ordered by (time, arrival).
    pub(crate) fn of_numbers(
        metric_type: MetricTypeId,
        times: Vec<Timestamp>,
        channels: Vec<Vec<Option<f64>>>,
    ) -> Self {
        let rests = vec![None; times.len()];
        Self { metric_type, times, channels, rests }
    }

    /// The points of blocks, one block behind the other.
    #[must_use]
    pub fn of_blocks(metric_type: MetricTypeId, blocks: &[Block]) -> Self {
        let width = blocks.iter().map(|block| block.numbers.channels()).max().unwrap_or(0);
        let mut columns = Self { metric_type, times: Vec::new(), channels: vec![Vec::new(); width], rests: Vec::new() };
        for block in blocks {
            columns.times.extend(block.times.iter());
            for (channel, column) in columns.channels.iter_mut().enumerate() {
                column.extend(block.numbers.channel(channel, block.len()));
            }
            columns.rests.extend((0..block.len()).map(|place| block.remainder.get(place).cloned()));
            columns.even_out();
        }
        columns
    }

    /// Adds some of the points of the same series.
    pub(super) fn extend(&mut self, other: &Self, places: Range<usize>) {
        self.channels.resize_with(self.channels.len().max(other.channels.len()), Vec::new);
        self.even_out();
        self.times.extend_from_slice(&other.times[places.clone()]);
        for (column, more) in self.channels.iter_mut().zip(&other.channels) {
            column.extend_from_slice(&more[places.clone()]);
        }
        self.rests.extend_from_slice(&other.rests[places]);
        self.even_out();
    }

    /// A channel that came later than a block has nothing in it.
    fn even_out(&mut self) {
        for column in &mut self.channels {
            column.resize(self.times.len(), None);
        }
    }

    /// By (time, arrival), where they stand in order of arrival.
    #[must_use]
    pub(super) fn sorted(self) -> Self {
        if self.times.is_sorted() {
            return self;
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|place| self.times[*place]); // stable: equal times keep their order of arrival
        let channels = self.channels.iter().map(|column| order.iter().map(|place| column[*place]).collect());
        let mut rests = self.rests;
        Self {
            metric_type: self.metric_type,
            times: order.iter().map(|place| self.times[*place]).collect(),
            channels: channels.collect(),
            rests: order.iter().map(|place| rests[*place].take()).collect(),
        }
    }

    /// The points of each UTC day.
    pub fn days(&self) -> impl Iterator<Item = (UtcDay, Self)> + '_ {
        self.times.chunk_by(|a, b| a.utc_day() == b.utc_day()).scan(0, |start, times| {
            let places = *start..*start + times.len();
            *start = places.end;
            let mut day = Self::of_blocks(self.metric_type, &[]);
            day.extend(self, places);
            Some((times[0].utc_day(), day))
        })
    }

    /// How many points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no point.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
}
