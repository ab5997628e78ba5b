//! Entries of `data` that have a error: every error is named.

use std::sync::Arc;

use super::FieldErrorCode;
use super::columns_body::read_columns;
use super::field_error::LISTED;
use super::fields::{one_of_each, read_series, read_time};
use super::location::Locations;
use super::raw_values::{RawValues, offset_in};
use crate::json::RawFields;

const POINT_FIELDS: [&str; 3] = ["series", "time", "value"];
const COLUMN_FIELDS: [&str; 3] = ["series", "times", "values"];

/// Reads columns that have a error, naming each; gives their series.
pub(super) fn diagnose_columns(
    text: &str,
    entry: usize,
    fields: &RawFields<'_>,
    points: &mut RawValues<'_>,
    locations: &mut Locations,
    errors: &mut Vec<(String, FieldErrorCode, String)>,
) -> Option<Arc<str>> {
    let there_are = "is not a field of columns; there are series, times and values";
    let [series, times, values] = one_of_each(fields, &COLUMN_FIELDS, there_are, errors);
    let series = series.and_then(|raw| read_series(raw, errors));
    let read = times.zip(values).and_then(|(times, values)| {
        let mut note = |at, code, message| {
            if errors.len() < LISTED {
                errors.push((at, code, message));
            }
        };
        read_columns(text, times, values, &mut note)
    });
    match (read, &series) {
        (Some((times, values)), Some(series)) => {
            points.push_entry(entry, series, times, values, locations)
        }
        // None of its points is known; the place keeps the numbers of the entries that follow.
        _ => locations.push(entry, points.len(), 0, None),
    }
    series
}

/// Reads a point that has a error, naming each; gives its series.
pub(super) fn diagnose_point(
    text: &str,
    fields: &RawFields<'_>,
    points: &mut RawValues<'_>,
    errors: &mut Vec<(String, FieldErrorCode, String)>,
) -> Option<Arc<str>> {
    let there_are = "is not a field of a point; there are series, time and value";
    let [series, time, value] = one_of_each(fields, &POINT_FIELDS, there_are, errors);
    let series = series.and_then(|raw| read_series(raw, errors));
    let time = time.and_then(|raw| {
        let read = read_time(raw.get());
        read.map_err(|(code, message)| errors.push(("/time".to_owned(), code, message)))
            .ok()
    });
    points.push(
        series.as_deref(),
        time,
        value.and_then(|raw| offset_in(text, raw)),
    );
    series
}
