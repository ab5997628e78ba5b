//! Points whose values are not parsed yet: sixteen bytes per point and an offset into the body.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::leaf_columns::{self, Leaves};
use super::location::{Location, Locations};
use super::{Row, RowFormat};
use crate::json::MAX_VALUE_BYTES;
use crate::json::Pointer;
use crate::metric_type::Catalogue;
use crate::{Json, JsonError, TimeSeriesPoint, Timestamp};

/// Points in order of arrival. Values are parsed one at a time: all parsed values together would
/// take up to thirty times the memory of their text.
#[derive(Debug)]
pub(super) struct RawValues<'a> {
    source: Source<'a>,
    names: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, u32>,
    points: Vec<RawPoint>,
    /// The entries that are columns with one array per leaf.
    leaves: Vec<LeafColumns>,
}

/// The source of the values.
#[derive(Debug)]
enum Source<'a> {
    /// A JSON text; a value is at its offset in the text.
    Body(&'a str),
    /// Rows of cells; the value of a point is that of its row.
    Rows(&'a RowFormat, &'a [Row]),
    /// Values in memory.
    Parsed(Vec<Json>),
}

/// A point. Parts that could not be read are [`NO_TIME`] or [`NOTHING`], and their errors are
/// reported.
#[derive(Debug, Clone, Copy)]
struct RawPoint {
    time: i64,
    series: u32,
    value: u32,
}

/// The points of one entry with one array per leaf.
#[derive(Debug)]
struct LeafColumns {
    /// The number of the first point.
    first: usize,
    len: usize,
    leaves: Leaves,
    /// For each leaf, the offset of each element in the body.
    columns: Vec<Vec<u32>>,
}

const NO_TIME: i64 = i64::MIN;
const NOTHING: u32 = u32::MAX;

/// The values of an entry with columns, as offsets in the body.
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

    /// Creates an empty list of points whose values are in this body.
    pub(super) fn of_body(body: &'a str) -> Self {
        Self::new(Source::Body(body))
    }

    /// Creates the list of points in memory.
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

    /// Creates an empty list of points whose values are in these rows.
    pub(super) fn of_rows(format: &'a RowFormat, rows: &'a [Row]) -> Self {
        Self::new(Source::Rows(format, rows))
    }

    pub(super) const fn len(&self) -> usize {
        self.points.len()
    }

    /// The length of the text with the values, in bytes.
    pub(super) fn text_bytes(&self) -> usize {
        match &self.source {
            Source::Body(body) => body.len(),
            Source::Rows(_, rows) => rows.iter().map(Row::text_bytes).sum(),
            Source::Parsed(values) => values.iter().map(Json::text_len).sum(),
        }
    }

    /// Adds a point. The value is an offset in the body, or the index of a row or of a value in
    /// memory.
    pub(super) fn push(
        &mut self,
        series: Option<&str>,
        time: Option<Timestamp>,
        value: Option<u32>,
    ) {
        let series = series.map_or(NOTHING, |series| self.name_index(series));
        let time = time.map_or(NO_TIME, Timestamp::micros);
        self.points.push(RawPoint {
            time,
            series,
            value: value.unwrap_or(NOTHING),
        });
    }

    /// Adds the points of an entry with columns, one value per time.
    pub(super) fn push_columns(
        &mut self,
        series: &str,
        times: Vec<Timestamp>,
        values: ColumnValues,
    ) {
        let series = self.name_index(series);
        let first = self.points.len();
        let len = times.len();
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

    /// Returns the index of a series name; adds the name if it is new.
    fn name_index(&mut self, series: &str) -> u32 {
        let last = self
            .points
            .last()
            .map(|point| point.series)
            .filter(|last| *last != NOTHING);
        let has_name = |index: &u32| {
            self.names
                .get(*index as usize)
                .is_some_and(|name| **name == *series)
        };
        if let Some(index) = last
            .filter(has_name)
            .or_else(|| self.by_name.get(series).copied())
        {
            return index;
        }
        let index = u32::try_from(self.names.len()).unwrap_or(NOTHING);
        let name: Arc<str> = series.into();
        self.names.push(Arc::clone(&name));
        self.by_name.insert(name, index);
        index
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
    /// The first error of a JSON text, or one error per leaf of columns or cell of a row.
    pub(super) fn value(&self, point: usize) -> Option<Result<Json, Vec<JsonError>>> {
        let value = self.points[point].value;
        if value == NOTHING {
            return None;
        }
        let index = value as usize;
        Some(match &self.source {
            Source::Rows(format, rows) => format.value(&rows[index]),
            Source::Parsed(values) => Ok(values[index].clone()),
            Source::Body(body) => match self.leaves_of(point) {
                Some(of) => leaf_columns::value(body, &of.leaves, &of.columns, index),
                None => Json::parse_leading(&body[index..], &mut { MAX_VALUE_BYTES })
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

    /// Resolves dots in the leaves of columns by the metric types of their points. Reports each
    /// entry with a duplicate leaf: the location of its first point, the series, and a pointer
    /// below `values`.
    pub(super) fn resolve_leaves(
        &mut self,
        locations: &mut Locations,
        catalogue: &Catalogue,
        mut report_duplicate: impl FnMut(Location<'_>, &str, &Pointer),
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
                Err(leaf) => report_duplicate(locations.of(first), series, &leaf),
            }
        }
    }
}

/// Returns the offset of a slice that was borrowed from `body`; `None` above 4 GiB.
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
