//! Reads entries of `data` that are not valid and collects all their errors.

use std::sync::Arc;

use super::columns_body::read_columns;
use super::field_error::{EntryError, LISTED};
use super::fields::{members_named, read_series, read_time};
use super::location::Locations;
use super::raw_values::{RawValues, offset_in};
use crate::json::RawFields;

const POINT_FIELDS: [&str; 3] = ["series", "time", "value"];
const COLUMN_FIELDS: [&str; 3] = ["series", "times", "values"];

/// Reads columns and collects their errors. Returns their series, if it is valid.
pub(super) fn diagnose_columns(
    text: &str,
    entry: usize,
    fields: &RawFields<'_>,
    points: &mut RawValues<'_>,
    locations: &mut Locations,
    errors: &mut Vec<EntryError>,
) -> Option<Arc<str>> {
    let unknown = "is not a field of columns; the fields are series, times and values";
    let [series, times, values] = members_named(fields, &COLUMN_FIELDS, unknown, errors);
    let series = series.and_then(|raw| read_series(raw, errors));
    let read = times.zip(values).and_then(|(times, values)| {
        let mut add = |error| {
            if errors.len() < LISTED {
                errors.push(error);
            }
        };
        read_columns(text, times, values, &mut add)
    });
    match (read, &series) {
        (Some((times, values)), Some(series)) => {
            points.push_entry(entry, series, times, values, locations);
        }
        // Without points, but counted: the indexes of later entries depend on it.
        _ => locations.push(entry, points.len(), 0, None),
    }
    series
}

/// Reads a point and collects its errors. Returns its series, if it is valid.
pub(super) fn diagnose_point(
    text: &str,
    fields: &RawFields<'_>,
    points: &mut RawValues<'_>,
    errors: &mut Vec<EntryError>,
) -> Option<Arc<str>> {
    let unknown = "is not a field of a point; the fields are series, time and value";
    let [series, time, value] = members_named(fields, &POINT_FIELDS, unknown, errors);
    let series = series.and_then(|raw| read_series(raw, errors));
    let time = time.and_then(|raw| {
        let read = read_time(raw.get()).map_err(|invalid| errors.push(invalid.at("/time")));
        read.ok()
    });
    points.push(
        series.as_deref(),
        time,
        value.and_then(|raw| offset_in(text, raw)),
    );
    series
}
