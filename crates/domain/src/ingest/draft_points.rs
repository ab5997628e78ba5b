//! The points of a session before validation, and their positions in the body.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::bounded_seq::MAX_POINTS;
use super::columnar_values::ColumnarValues;
use super::columns_body::{read_columns, read_numeric_columns};
use super::fields::{Text, text};
use super::location::Locations;
use super::raw_values::{ColumnValues, RawValues, offset_in};
use crate::Timestamp;
use crate::json::MAX_VALUE_BYTES;

/// Points in order of arrival.
#[derive(Debug)]
pub(super) enum DraftPoints<'a> {
    /// Every value is a number, or an object of numbers.
    Numeric(ColumnarValues),
    /// Values of any kind, not parsed yet.
    Values(RawValues<'a>, Locations),
}

/// The fields of a valid point or of valid columns, borrowed from the body.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFields<'a> {
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

/// An entry of `data`. Deserializes from an object only, not from an array of the fields.
pub(super) struct Entry<'a>(EntryFields<'a>);

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

/// Deserializes a member that is present; null is a value.
fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl DraftPoints<'_> {
    /// Returns the earliest time of a point.
    pub(super) fn first_time(&self) -> Option<Timestamp> {
        match self {
            Self::Numeric(points) => points
                .series
                .iter()
                .flat_map(|series| &series.times)
                .min()
                .copied(),
            Self::Values(points, _) => points.first_time(),
        }
    }
}

/// The entries of `data` if all are valid and all values consist of numbers. Deserialization fails
/// otherwise.
#[derive(Default)]
pub(super) struct ColumnarData(pub(super) ColumnarValues);

impl ColumnarData {
    fn read(&mut self, fields: &EntryFields<'_>) -> Option<()> {
        let Self(points) = self;
        let is_numeric = match *fields {
            EntryFields {
                ref series,
                time: Some(Text(ref time)),
                value: Some(value),
                times: None,
                values: None,
            } => {
                let time = Timestamp::parse_rfc3339(time).ok()?;
                value.get().len() <= MAX_VALUE_BYTES && points.push(series, time, value.get())
            }
            EntryFields {
                ref series,
                time: None,
                value: None,
                times: Some(times),
                values: Some(values),
            } => {
                let (times, columns) = read_numeric_columns(times, values)?;
                points.push_columns(&Arc::from(&**series), times, columns)
            }
            _ => false,
        };
        is_numeric.then_some(())
    }
}

impl<'de> Deserialize<'de> for ColumnarData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut data = Self::default();
        let add = |_, Entry(fields): Entry<'_>| {
            data.read(&fields)
                .ok_or("an entry that is invalid or has other values than numbers")?;
            if data.0.len() > MAX_POINTS {
                Err("too many points")
            } else {
                Ok(())
            }
        };
        Entries(add).deserialize(deserializer)?;
        Ok(data)
    }
}

impl<'a> RawValues<'a> {
    /// Reads a valid entry of `data`; `None` if it is not valid.
    pub(super) fn read_entry(
        &mut self,
        body: &'a str,
        entry: usize,
        Entry(fields): &Entry<'a>,
        locations: &mut Locations,
    ) -> Option<()> {
        match *fields {
            EntryFields {
                ref series,
                time: Some(Text(ref time)),
                value: Some(value),
                times: None,
                values: None,
            } => {
                let time = Timestamp::parse_rfc3339(time).ok()?;
                self.push(Some(series), Some(time), Some(offset_in(body, value)?));
            }
            EntryFields {
                ref series,
                time: None,
                value: None,
                times: Some(times),
                values: Some(values),
            } => {
                let (times, values) = read_columns(body, times, values, &mut |_| {})?;
                self.push_entry(entry, series, times, values, locations);
            }
            _ => return None,
        }
        Some(())
    }

    /// Adds the points of an entry with columns.
    pub(super) fn push_entry(
        &mut self,
        entry: usize,
        series: &str,
        times: Vec<Timestamp>,
        values: ColumnValues,
        locations: &mut Locations,
    ) {
        let leaves = match &values {
            ColumnValues::List(_) => None,
            ColumnValues::Leaves(leaves, _) => Some(Arc::clone(leaves)),
        };
        locations.push(entry, self.len(), times.len(), leaves);
        self.push_columns(series, times, values);
    }

    /// Reads valid `data`; `None` if it is not valid.
    pub(super) fn read_data(body: &'a str, data: &'a RawValue) -> Option<(Self, Locations)> {
        let mut values = Self::of_body(body);
        let mut locations = Locations::default();
        let add = |index, entry: Entry<'a>| {
            values
                .read_entry(body, index, &entry, &mut locations)
                .ok_or("an invalid entry")?;
            if values.len() > MAX_POINTS {
                Err("too many points")
            } else {
                Ok(())
            }
        };
        Entries(add)
            .deserialize(&mut serde_json::Deserializer::from_str(data.get()))
            .ok()?;
        Some((values, locations))
    }
}

/// Calls a function with the index and the entry of each element of an array, until it fails.
struct Entries<F>(F);

impl<'de, F: FnMut(usize, Entry<'de>) -> Result<(), &'static str>> DeserializeSeed<'de>
    for Entries<F>
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(usize, Entry<'de>) -> Result<(), &'static str>> Visitor<'de> for Entries<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of points")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(entry) = entries.next_element()? {
            (self.0)(index, entry).map_err(A::Error::custom)?;
            index += 1;
        }
        Ok(())
    }
}
