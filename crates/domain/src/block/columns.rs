//! The points of one series of one session, turned into columns.

use std::borrow::Cow;
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
    /// One column per channel, in the order of the metric type's channels.
    channels: Vec<Column>,
    /// JSON texts; empty where no point has a rest.
    rests: Vec<Option<Box<str>>>,
}

/// The numbers of one channel, by point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    /// Numbers or nothing.
    Sparse(Vec<Option<f64>>),
    /// A number for each point.
    Dense(Vec<f64>),
    /// Nothing for any point.
    Absent,
}

impl SeriesColumns {
    /// Sorts points, given in order of arrival, by time and splits their values into columns.
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

    /// Adds a point behind all others.
    pub(super) fn push(&mut self, time: Timestamp, value: Json, channels: &[Pointer]) {
        let (numbers, rest) = split(value, channels);
        let place = self.times.len();
        self.channels
            .resize(self.channels.len().max(numbers.len()), Column::Absent);
        for (column, number) in self.channels.iter_mut().zip(numbers) {
            if number.is_some() || !matches!(column, Column::Absent) {
                column.sparse(place).push(number);
            }
        }
        if rest.is_some() || !self.rests.is_empty() {
            self.rests.resize(place, None);
            self.rests
                .push(rest.map(|rest| rest.to_string().into_boxed_str()));
        }
        self.times.push(time);
    }

    /// Gives it at least that number of channels.
    pub(super) fn widen(&mut self, channels: usize) {
        self.channels
            .resize(self.channels.len().max(channels), Column::Absent);
    }

    /// Points of numbers alone, one column per channel, ordered by (time, arrival).
    pub(crate) const fn of_numbers(
        metric_type: MetricTypeId,
        times: Vec<Timestamp>,
        channels: Vec<Column>,
    ) -> Self {
        Self {
            metric_type,
            times,
            channels,
            rests: Vec::new(),
        }
    }

    /// The points of blocks, one block behind the other.
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
            rests: Vec::new(),
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
                let rest = |place| block.remainder.text_of(place).map(Box::from);
                columns.rests.resize(before, None);
                columns.rests.extend((0..block.len()).map(rest));
            }
            columns.even_out();
        }
        columns
    }

    /// Adds some of the points of the same series.
    pub(super) fn extend(&mut self, other: &Self, places: Range<usize>) {
        let before = self.len();
        self.channels.resize(
            self.channels.len().max(other.channels.len()),
            Column::Absent,
        );
        self.times.extend_from_slice(&other.times[places.clone()]);
        for (column, more) in self.channels.iter_mut().zip(&other.channels) {
            if !matches!(more, Column::Absent) {
                column
                    .sparse(before)
                    .extend_from_slice(&more.slice(places.clone()));
            }
        }
        if !other.rests.is_empty() {
            self.rests.resize(before, None);
            self.rests.extend_from_slice(&other.rests[places]);
        }
        self.even_out();
    }

    /// Gives every column that has any number an element for every point: a channel that came later than a block has
    /// nothing in it.
    fn even_out(&mut self) {
        let len = self.times.len();
        for column in &mut self.channels {
            if let Column::Sparse(numbers) = column {
                numbers.resize(len, None);
            }
        }
        if !self.rests.is_empty() {
            self.rests.resize(len, None);
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
        let mut rests = self.rests;
        if !rests.is_empty() {
            rests = order.iter().map(|place| rests[*place].take()).collect();
        }
        Self {
            metric_type: self.metric_type,
            times: order.iter().map(|place| self.times[*place]).collect(),
            channels: self
                .channels
                .iter()
                .map(|column| column.ordered(&order))
                .collect(),
            rests,
        }
    }

    /// The numbers of each channel, of some points.
    pub(super) fn numbers(&self, places: Range<usize>) -> Vec<Cow<'_, [Option<f64>]>> {
        self.channels
            .iter()
            .map(|column| column.slice(places.clone()))
            .collect()
    }

    /// The rest of each point, of some points.
    pub(super) fn rests(&self, places: Range<usize>) -> impl Iterator<Item = Option<&str>> {
        self.rests
            .get(places)
            .unwrap_or_default()
            .iter()
            .map(Option::as_deref)
    }

    /// The points of each UTC day.
    pub fn days(&self) -> impl Iterator<Item = (UtcDay, Self)> + '_ {
        self.times
            .chunk_by(|a, b| a.utc_day() == b.utc_day())
            .scan(0, |start, times| {
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

impl Column {
    /// The column with an element for each point, to be extended; it has none yet for the points from `len` on.
    fn sparse(&mut self, len: usize) -> &mut Vec<Option<f64>> {
        match self {
            Self::Sparse(_) => {}
            Self::Dense(numbers) => {
                *self = Self::Sparse(numbers.iter().copied().map(Some).collect())
            }
            Self::Absent => *self = Self::Sparse(vec![None; len]),
        }
        match self {
            Self::Sparse(numbers) => numbers,
            Self::Dense(_) | Self::Absent => unreachable!("it was just made sparse"),
        }
    }

    fn slice(&self, places: Range<usize>) -> Cow<'_, [Option<f64>]> {
        match self {
            Self::Sparse(numbers) => Cow::Borrowed(&numbers[places]),
            Self::Dense(numbers) => Cow::Owned(numbers[places].iter().copied().map(Some).collect()),
            Self::Absent => Cow::Owned(vec![None; places.len()]),
        }
    }

    fn ordered(&self, order: &[usize]) -> Self {
        match self {
            Self::Sparse(numbers) => {
                Self::Sparse(order.iter().map(|place| numbers[*place]).collect())
            }
            Self::Dense(numbers) => {
                Self::Dense(order.iter().map(|place| numbers[*place]).collect())
            }
            Self::Absent => Self::Absent,
        }
    }
}
