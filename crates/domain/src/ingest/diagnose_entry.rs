//! Entries of `data` that have a fault: every fault is named.

use std::sync::Arc;

use super::RejectCode;
use super::columns_body::read_columns;
use super::fields::{one_of_each, read_series, read_time};
use super::place::Places;
use super::raw_values::{RawValues, offset_in};
use super::reject::LISTED;
use crate::json::RawFields;

const POINT_FIELDS: [&str; 3] = ["series", "time", "value"];
const COLUMN_FIELDS: [&str; 3] = ["series", "times", "values"];

/// Reads columns that have a fault, naming each; gives their series.
pub(super) fn diagnose_columns(
    text: &str,
    entry: usize,
    fields: &RawFields<'_>,
    points: &mut RawValues<'_>,
    places: &mut Places,
    faults: &mut Vec<(String, RejectCode, String)>,
) -> Option<Arc<str>> {
    let there_are = "is not a field of columns; there are series, times and values";
    let [series, times, values] = one_of_each(fields, &COLUMN_FIELDS, there_are, faults);
    let series = series.and_then(|raw| read_series(raw, faults));
    let read = times.zip(values).and_then(|(times, values)| {
        let mut note = |at, code, message| {
            if faults.len() < LISTED {
                faults.push((at, code, message));
            }
        };
        read_columns(text, times, values, &mut note)
    });
    match (read, &series) {
        (Some((times, values)), Some(series)) => {
            points.push_entry(entry, series, times, values, places)
        }
        // None of its points is known; the place keeps the numbers of the entries that follow.
        _ => places.push(entry, points.len(), 0, None),
    }
    series
}

/// Reads a point that has a fault, naming each; gives its series.
pub(super) fn diagnose_point(
    text: &str,
    fields: &RawFields<'_>,
    points: &mut RawValues<'_>,
    faults: &mut Vec<(String, RejectCode, String)>,
) -> Option<Arc<str>> {
    let there_are = "is not a field of a point; there are series, time and value";
    let [series, time, value] = one_of_each(fields, &POINT_FIELDS, there_are, faults);
    let series = series.and_then(|raw| read_series(raw, faults));
    let time = time.and_then(|raw| {
        let read = read_time(raw.get());
        read.map_err(|(code, message)| faults.push(("/time".to_owned(), code, message)))
            .ok()
    });
    points.push(
        series.as_deref(),
        time,
        value.and_then(|raw| offset_in(text, raw)),
    );
    series
}
