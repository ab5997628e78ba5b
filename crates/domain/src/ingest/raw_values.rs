//! Points whose values are not parsed yet: sixteen bytes each, and a place in the body.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::leaf_columns::{self, Leaves};
use super::location::{Location, Locations};
use super::rows_body::{Row, RowFormat};
use crate::json::MAX_VALUE_BYTES;
use crate::json::Pointer;
use crate::metric_type::Catalogue;
use crate::{Json, JsonError, TimeSeriesPoint, Timestamp};

/// Points in order of arrival. Parsed values exist one at a time: all of them would take up to thirty times as much memory
/// as their text.
#[derive(Debug)]
pub(super) struct RawValues<'a> {
    source: Source<'a>,
    names: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, u32>,
    points: Vec<RawPoint>,
    /// The entries that are columns with one array per leaf.
    leaves: Vec<LeafColumns>,
}

/// The place that values are read from.
#[derive(Debug)]
enum Source<'a> {
    /// A JSON text; a value is at its offset.
    Body(&'a str),
    /// Rows of cells; a value is that of the row of its point.
    Rows(&'a RowFormat, &'a [Row]),
    /// Values made in code.
    Parsed(Vec<Json>),
}

/// A point. A part that could not be read has its reject.
#[derive(Debug, Clone, Copy)]
struct RawPoint {
    time: i64,
    series: u32,
    value: u32,
}

/// Points of one entry that has one array per leaf.
#[derive(Debug)]
struct LeafColumns {
    /// The number of its first point.
    first: usize,
    len: usize,
    leaves: Leaves,
    /// The offset of each element in the body, by leaf.
    columns: Vec<Vec<u32>>,
}

const NO_TIME: i64 = i64::MIN;
const NOTHING: u32 = u32::MAX;

/// The values of an entry that has columns, by their offsets in the body.
#[derive(Debug)]
pub(super) enum ColumnValues {
    /// One per point.
    List(Vec<u32>),
    /// One per point and leaf.
    Leaves(Leaves, Vec<Vec<u32>>),
}

impl<'a> RawValues<'a> {
    fn new(source: Source<'a>) -> Self {
        Self {
            source,
            names: Vec::new(),
            by_name: HashMap::new(),
            points: Vec::new(),
            leaves: Vec::new(),
        }
    }

    /// Points whose values are in this body.
    pub(super) fn of_body(body: &'a str) -> Self {
        Self::new(Source::Body(body))
    }

    /// Points made in code.
    pub(super) fn of_points(points: Vec<TimeSeriesPoint>) -> Self {
        let mut values = Self::new(Source::Parsed(Vec::new()));
        let mut parsed = Vec::with_capacity(points.len());
        for (number, point) in (0..).zip(points) {
            values.push(Some(point.series.as_str()), Some(point.time), Some(number));
            parsed.push(point.value);
        }
        values.source = Source::Parsed(parsed);
        values
    }

    /// Rows of one session, whose points are to be pushed in their order.
    pub(super) fn of_rows(format: &'a RowFormat, rows: &'a [Row]) -> Self {
        Self::new(Source::Rows(format, rows))
    }

    pub(super) const fn len(&self) -> usize {
        self.points.len()
    }

    /// The bytes of the text that the values are in.
    pub(super) fn text_bytes(&self) -> usize {
        match &self.source {
            Source::Body(body) => body.len(),
            Source::Rows(_, rows) => rows.iter().map(Row::text_bytes).sum(),
            Source::Parsed(values) => values.iter().map(Json::text_len).sum(),
        }
    }

    /// Adds a point; the value is an offset in the body, or the number of a row or of a value made in code.
    pub(super) fn push(
        &mut self,
        series: Option<&str>,
        time: Option<Timestamp>,
        value: Option<u32>,
    ) {
        let series = series.map_or(NOTHING, |series| self.name(series));
        let time = time.map_or(NO_TIME, Timestamp::micros);
        self.points.push(RawPoint {
            time,
            series,
            value: value.unwrap_or(NOTHING),
        });
    }

    /// Adds the points of an entry that has columns, one value per time.
    pub(super) fn push_columns(
        &mut self,
        series: &str,
        times: Vec<Timestamp>,
        values: ColumnValues,
    ) {
        let series = self.name(series);
        let (first, len) = (self.points.len(), times.len());
        let point = |(value, time): (u32, Timestamp)| RawPoint {
            time: time.micros(),
            series,
            value,
        };
        match values {
            ColumnValues::List(offsets) => self
                .points
                .extend(offsets.into_iter().zip(times).map(point)),
            ColumnValues::Leaves(leaves, columns) => {
                self.points.extend((0..).zip(times).map(point));
                self.leaves.push(LeafColumns {
                    first,
                    len,
                    leaves,
                    columns,
                });
            }
        }
    }

    fn name(&mut self, series: &str) -> u32 {
        let last = self
            .points
            .last()
            .map(|point| point.series)
            .filter(|last| *last != NOTHING);
        let is_it = |place: &u32| {
            self.names
                .get(*place as usize)
                .is_some_and(|name| **name == *series)
        };
        if let Some(place) = last
            .filter(is_it)
            .or_else(|| self.by_name.get(series).copied())
        {
            return place;
        }
        let (place, name): (_, Arc<str>) = (
            u32::try_from(self.names.len()).unwrap_or(NOTHING),
            series.into(),
        );
        self.names.push(name.clone());
        self.by_name.insert(name, place);
        place
    }

    /// The series of a point.
    pub(super) fn series(&self, point: usize) -> Option<&Arc<str>> {
        self.names.get(self.points[point].series as usize)
    }

    /// The time of a point.
    pub(super) fn time(&self, point: usize) -> Option<Timestamp> {
        let micros = self.points[point].time;
        (micros != NO_TIME).then(|| Timestamp::from_micros(micros))
    }

    /// The earliest time.
    pub(super) fn first_time(&self) -> Option<Timestamp> {
        (0..self.len()).filter_map(|point| self.time(point)).min()
    }

    /// Parses the value of a point; `None` if it has none.
    ///
    /// # Errors
    /// Every error that the source can name: one of a JSON text, one per cell of a row.
    pub(super) fn value(&self, point: usize) -> Option<Result<Json, Vec<JsonError>>> {
        let value = self.points[point].value;
        if value == NOTHING {
            return None;
        }
        let place = value as usize;
        Some(match &self.source {
            Source::Rows(format, rows) => format.value(&rows[place]),
            Source::Parsed(values) => Ok(values[place].clone()),
            Source::Body(body) => match self.leaves_of(point) {
                Some(of) => leaf_columns::value(body, &of.leaves, &of.columns, place),
                None => Json::parse_leading(&body[place..], &mut { MAX_VALUE_BYTES })
                    .map_err(|e| vec![e]),
            },
        })
    }

    fn leaves_of(&self, point: usize) -> Option<&LeafColumns> {
        let before = self.leaves.partition_point(|leaves| leaves.first <= point);
        self.leaves[..before]
            .last()
            .filter(|leaves| point < leaves.first + leaves.len)
    }

    /// Names the leaves of columns as the metric types of their points do; reports each entry that names a leaf twice by its
    /// first point and a pointer below `values`.
    pub(super) fn resolve_leaves(
        &mut self,
        locations: &mut Locations,
        catalogue: &Catalogue,
        mut twice: impl FnMut(Location<'_>, &str, &Pointer),
    ) {
        for number in 0..self.leaves.len() {
            let LeafColumns { first, len, .. } = self.leaves[number];
            if len == 0 {
                continue;
            }
            let Some(series) = self.series(first) else {
                continue;
            };
            let Some(metric_type) = catalogue.get(series) else {
                continue;
            };
            match leaf_columns::resolve(&self.leaves[number].leaves, metric_type) {
                Ok(Some(leaves)) => {
                    locations.set_leaves(first, Arc::clone(&leaves));
                    self.leaves[number].leaves = leaves;
                }
                Ok(None) => {}
                Err(leaf) => twice(locations.of(first), series, &leaf),
            }
        }
    }
}

/// The offset of a slice that was borrowed from `body`; `None` beyond 4 GiB.
pub(super) fn offset_in(body: &str, part: &RawValue) -> Option<u32> {
    let offset = part
        .get()
        .as_ptr()
        .addr()
        .checked_sub(body.as_ptr().addr())?;
    u32::try_from(offset)
        .ok()
        .filter(|offset| *offset != NOTHING)
}
