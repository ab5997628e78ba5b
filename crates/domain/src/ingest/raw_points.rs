//! The points of a session before validation, and where in the body they stand.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::at_most::MAX_POINTS;
use super::columns_body::{Form, read_columns, read_numeric_columns};
use super::fields::{Text, text};
use super::numeric_points::NumericPoints;
use super::place::Places;
use crate::json::MAX_VALUE_BYTES;
use crate::{Json, Timestamp};

/// Points in order of arrival.
#[derive(Debug)]
pub(super) struct RawPoints {
    /// All of them, as long as their values are numbers and nothing else.
    numeric: Option<NumericPoints>,
    /// All of them, once they are not.
    any: Vec<RawPoint>,
    places: Places,
}

/// A point before validation; what could not be read is `None` and has its reject.
#[derive(Debug)]
pub(super) struct RawPoint {
    pub(super) series: Option<Arc<str>>,
    pub(super) time: Option<Timestamp>,
    pub(super) value: Option<Json>,
}

/// The shape of a point, or of columns, without faults; borrowed from the body.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryFields<'a> {
    #[serde(borrow)]
    series: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text")]
    time: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "raw")]
    value: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "raw")]
    times: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "raw")]
    values: Option<&'a RawValue>,
}

/// An entry of `data`: an object, not an array of its fields.
pub(super) struct Entry<'a>(pub(super) EntryFields<'a>);

impl<'de> Deserialize<'de> for Entry<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Entry<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Entry<'de>, A::Error> {
                EntryFields::deserialize(MapAccessDeserializer::new(fields)).map(Entry)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// What is there, also if it is null.
fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Default for RawPoints {
    fn default() -> Self {
        Self { numeric: Some(NumericPoints::default()), any: Vec::new(), places: Places::default() }
    }
}

impl RawPoints {
    /// Of rows that stand in these lines.
    pub(super) fn of_rows(points: Vec<RawPoint>, lines: impl Iterator<Item = u64>) -> Self {
        Self { numeric: None, any: points, places: Places::of_rows(lines) }
    }

    pub(super) fn len(&self) -> usize {
        self.numeric.as_ref().map_or(self.any.len(), NumericPoints::len)
    }

    /// The points, if their values are numbers and nothing else.
    pub(super) const fn numeric(&self) -> Option<&NumericPoints> {
        self.numeric.as_ref()
    }

    /// As [`Self::numeric`], for good.
    pub(super) fn into_numeric(self) -> Option<NumericPoints> {
        self.numeric
    }

    /// The earliest time of a point.
    pub(super) fn first(&self) -> Option<Timestamp> {
        let numeric = self.numeric.iter().flat_map(|points| &points.series).flat_map(|series| &series.times);
        self.any.iter().filter_map(|point| point.time).chain(numeric.copied()).min()
    }

    /// Every point, and where they stand.
    pub(super) fn into_placed(self) -> (impl Iterator<Item = RawPoint>, Places) {
        let numeric = self.numeric.into_iter().flat_map(NumericPoints::into_points);
        (self.any.into_iter().chain(numeric), self.places)
    }

    /// Adds a point, that of the next entry of `data`.
    pub(super) fn push(&mut self, point: RawPoint) {
        self.any().push(point);
    }

    /// Reads an entry of `data` without faults; `None` if there is any.
    pub(super) fn read_entry(&mut self, entry: usize, fields: &EntryFields<'_>) -> Option<()> {
        match *fields {
            EntryFields { ref series, time: Some(Text(ref time)), value: Some(value), times: None, values: None } => {
                self.read_point(series, Timestamp::parse_rfc3339(time).ok()?, value)
            }
            EntryFields { ref series, time: None, value: None, times: Some(times), values: Some(values) } => {
                let series: Arc<str> = (&**series).into();
                if let Some(numeric) = &mut self.numeric
                    && let Some((times, columns, form)) = read_numeric_columns(times, values)
                {
                    let (first, count) = (numeric.len(), times.len());
                    if numeric.push_columns(&series, times, columns) {
                        self.places.push(entry, first, count, form);
                        return Some(());
                    }
                }
                let (points, form) = read_columns(times, values, &mut |_, _, _| {})?;
                self.push_columns(entry, &series, points, form);
                Some(())
            }
            _ => None,
        }
    }

    fn read_point(&mut self, series: &str, time: Timestamp, value: &RawValue) -> Option<()> {
        if let Some(numeric) = &mut self.numeric
            && value.get().len() <= MAX_VALUE_BYTES
            && numeric.push(series, time, value.get())
        {
            return Some(());
        }
        let value = Json::parse_raw(value).ok()?;
        self.any().push(RawPoint { series: Some(series.into()), time: Some(time), value: Some(value) });
        Some(())
    }

    /// Adds the points of an entry that has columns.
    pub(super) fn push_columns(&mut self, entry: usize, series: &Arc<str>, points: Vec<(Timestamp, Json)>, form: Form) {
        self.places.push(entry, self.len(), points.len(), form);
        let point = |(time, value)| RawPoint { series: Some(series.clone()), time: Some(time), value: Some(value) };
        self.any().extend(points.into_iter().map(point));
    }

    /// The same points, not as columns.
    #[cfg(test)]
    pub(super) fn one_by_one(mut self) -> Self {
        self.any();
        self
    }

    /// The points one by one, from now on.
    fn any(&mut self) -> &mut Vec<RawPoint> {
        if let Some(numeric) = self.numeric.take() {
            self.any = numeric.into_points().collect();
        }
        &mut self.any
    }
}

impl FromIterator<RawPoint> for RawPoints {
    fn from_iter<I: IntoIterator<Item = RawPoint>>(points: I) -> Self {
        Self { numeric: None, any: points.into_iter().collect(), places: Places::default() }
    }
}

impl<'de> Deserialize<'de> for RawPoints {
    /// Reads `data` without faults; an error if there is any.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = RawPoints;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of points")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<RawPoints, A::Error> {
                let mut points = RawPoints::default();
                let mut entry = 0;
                while let Some(Entry(fields)) = entries.next_element()? {
                    points.read_entry(entry, &fields).ok_or_else(|| A::Error::custom("an entry with a fault"))?;
                    if points.len() > MAX_POINTS {
                        return Err(A::Error::custom("too many points"));
                    }
                    entry += 1;
                }
                Ok(points)
            }
        }
        deserializer.deserialize_seq(Entries)
    }
}
