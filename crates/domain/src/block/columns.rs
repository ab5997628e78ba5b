//! Columns of the points of one series in one session.

use std::borrow::Cow;
use std::ops::Range;

use super::block::Block;
use super::value::split;
use crate::json::Pointer;
use crate::{Json, MetricTypeId, Timestamp, UtcDay};

/// Points of one series as columns, ordered by (time, arrival).
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesColumns {
    /// The metric type of the points.
    pub metric_type: MetricTypeId,
    pub(super) times: Vec<Timestamp>,
    /// One column per channel, in the order of the metric type's channels.
    channels: Vec<Column>,
    /// The JSON text of each point's remainder; empty if no point has one.
    remainders: Vec<Option<Box<str>>>,
}

/// The numbers of one channel, one per point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    /// A number for some points.
    Sparse(Vec<Option<f64>>),
    /// A number for every point.
    Dense(Vec<f64>),
    /// No numbers.
    Absent,
}

impl SeriesColumns {
    /// Sorts points, given in order of arrival, by time and splits their values into columns.
    ///
    /// `channels` are those of the metric type, in order.
    #[must_use]
    pub fn new(
        metric_type: MetricTypeId,
        channels: &[Pointer],
        mut points: Vec<(Timestamp, Json)>,
    ) -> Self {
        points.sort_by_key(|(time, _)| *time); // stable: equal times keep their order of arrival
        let mut columns = Self::of_blocks(metric_type, &[]);
        columns.widen(channels.len());
        for (time, value) in points {
            columns.push(time, value, channels);
        }
        columns
    }

    /// Adds a point after all others.
    pub(super) fn push(&mut self, time: Timestamp, value: Json, channels: &[Pointer]) {
        let (numbers, remainder) = split(value, channels);
        let index = self.times.len();
        self.channels
            .resize(self.channels.len().max(numbers.len()), Column::Absent);
        for (column, number) in self.channels.iter_mut().zip(numbers) {
            if number.is_some() || !matches!(column, Column::Absent) {
                column.sparse(index).push(number);
            }
        }
        if remainder.is_some() || !self.remainders.is_empty() {
            self.remainders.resize(index, None);
            self.remainders
                .push(remainder.map(|value| value.to_string().into_boxed_str()));
        }
        self.times.push(time);
    }

    /// Adds absent columns up to a number of channels.
    pub(super) fn widen(&mut self, channels: usize) {
        self.channels
            .resize(self.channels.len().max(channels), Column::Absent);
    }

    /// Creates columns of points without remainders, ordered by (time, arrival).
    #[cfg(feature = "schema")]
    pub(crate) const fn of_numbers(
        metric_type: MetricTypeId,
        times: Vec<Timestamp>,
        channels: Vec<Column>,
    ) -> Self {
        Self {
            metric_type,
            times,
            channels,
            remainders: Vec::new(),
        }
    }

    /// Decodes blocks and concatenates their points.
    #[must_use]
    pub fn of_blocks(metric_type: MetricTypeId, blocks: &[Block]) -> Self {
        let width = blocks
            .iter()
            .map(|block| block.numbers.channels())
            .max()
            .unwrap_or(0);
        let channels = vec![Column::Absent; width];
        let mut columns = Self {
            metric_type,
            times: Vec::new(),
            channels,
            remainders: Vec::new(),
        };
        for block in blocks {
            let before = columns.len();
            columns.times.extend(block.times.iter());
            for (channel, column) in columns
                .channels
                .iter_mut()
                .enumerate()
                .take(block.numbers.channels())
            {
                column
                    .sparse(before)
                    .extend(block.numbers.channel(channel, block.len()));
            }
            if !block.remainder.is_empty() {
                let text = |index| block.remainder.text_of(index).map(Box::from);
                columns.remainders.resize(before, None);
                columns.remainders.extend((0..block.len()).map(text));
            }
            columns.pad();
        }
        columns
    }

    /// Appends some points of another part of the same series.
    pub(super) fn extend(&mut self, other: &Self, indexes: Range<usize>) {
        let before = self.len();
        self.channels.resize(
            self.channels.len().max(other.channels.len()),
            Column::Absent,
        );
        self.times.extend_from_slice(&other.times[indexes.clone()]);
        for (column, more) in self.channels.iter_mut().zip(&other.channels) {
            if !matches!(more, Column::Absent) {
                column
                    .sparse(before)
                    .extend_from_slice(&more.slice(indexes.clone()));
            }
        }
        if !other.remainders.is_empty() {
            self.remainders.resize(before, None);
            self.remainders
                .extend_from_slice(&other.remainders[indexes]);
        }
        self.pad();
    }

    /// Extends every sparse column to the number of points. Blocks that are older than a channel
    /// have no numbers in it.
    fn pad(&mut self) {
        let len = self.times.len();
        for column in &mut self.channels {
            if let Column::Sparse(numbers) = column {
                numbers.resize(len, None);
            }
        }
        if !self.remainders.is_empty() {
            self.remainders.resize(len, None);
        }
    }

    /// Sorts points in order of arrival by (time, arrival).
    #[must_use]
    pub(super) fn sorted(self) -> Self {
        if self.times.is_sorted() {
            return self;
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|index| self.times[*index]); // stable: equal times keep their order of arrival
        let mut remainders = self.remainders;
        if !remainders.is_empty() {
            remainders = order
                .iter()
                .map(|index| remainders[*index].take())
                .collect();
        }
        Self {
            metric_type: self.metric_type,
            times: order.iter().map(|index| self.times[*index]).collect(),
            channels: self
                .channels
                .iter()
                .map(|column| column.ordered(&order))
                .collect(),
            remainders,
        }
    }

    /// Returns the numbers of some points, by channel.
    pub(super) fn numbers(&self, indexes: Range<usize>) -> Vec<Cow<'_, [Option<f64>]>> {
        self.channels
            .iter()
            .map(|column| column.slice(indexes.clone()))
            .collect()
    }

    /// Returns the remainders of some points.
    pub(super) fn remainders(&self, indexes: Range<usize>) -> impl Iterator<Item = Option<&str>> {
        self.remainders
            .get(indexes)
            .unwrap_or_default()
            .iter()
            .map(Option::as_deref)
    }

    /// Returns the points of each UTC day, ascending.
    pub fn days(&self) -> impl Iterator<Item = (UtcDay, Self)> + '_ {
        self.times
            .chunk_by(|a, b| a.utc_day() == b.utc_day())
            .scan(0, |start, times| {
                let indexes = *start..*start + times.len();
                *start = indexes.end;
                let mut day = Self::of_blocks(self.metric_type, &[]);
                day.extend(self, indexes);
                Some((times[0].utc_day(), day))
            })
    }

    /// Returns the number of points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.times.len()
    }

    /// Returns whether there are no points.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
}

impl Column {
    /// Converts the column to a sparse one, which an absent column fills with `len` absent numbers.
    fn sparse(&mut self, len: usize) -> &mut Vec<Option<f64>> {
        match self {
            Self::Sparse(_) => {}
            Self::Dense(numbers) => {
                *self = Self::Sparse(numbers.iter().copied().map(Some).collect());
            }
            Self::Absent => *self = Self::Sparse(vec![None; len]),
        }
        match self {
            Self::Sparse(numbers) => numbers,
            Self::Dense(_) | Self::Absent => unreachable!("the column is sparse"),
        }
    }

    fn slice(&self, indexes: Range<usize>) -> Cow<'_, [Option<f64>]> {
        match self {
            Self::Sparse(numbers) => Cow::Borrowed(&numbers[indexes]),
            Self::Dense(numbers) => {
                Cow::Owned(numbers[indexes].iter().copied().map(Some).collect())
            }
            Self::Absent => Cow::Owned(vec![None; indexes.len()]),
        }
    }

    fn ordered(&self, order: &[usize]) -> Self {
        match self {
            Self::Sparse(numbers) => {
                Self::Sparse(order.iter().map(|index| numbers[*index]).collect())
            }
            Self::Dense(numbers) => {
                Self::Dense(order.iter().map(|index| numbers[*index]).collect())
            }
            Self::Absent => Self::Absent,
        }
    }
}
