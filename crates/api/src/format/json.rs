//! Incremental writing of JSON.

use serde::Serialize;
use time_series_domain::query::Figure;

use super::table::{Batch, Field, Table, Values};

/// Appends a value.
pub(crate) fn json(out: &mut Vec<u8>, value: &impl Serialize) {
    // Writing to memory does not fail for these values.
    let _ = serde_json::to_writer(out, value);
}

/// Appends a number, or null.
pub(crate) fn number(out: &mut Vec<u8>, number: Option<f64>) {
    match number {
        Some(number) => json(out, &number),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends a figure; an absent figure is null.
pub(crate) fn figure(out: &mut Vec<u8>, figure: &Figure) {
    match figure {
        Figure::Absent | Figure::Null => out.extend_from_slice(b"null"),
        Figure::Count(n) => json(out, n),
        Figure::Number(n) => json(out, n),
        Figure::Text(value) => json(out, value),
    }
}

/// Appends a string.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    json(out, &text);
}

/// Writes the commas between the elements of a list.
#[derive(Default)]
pub(crate) struct JsonList {
    has_one: bool,
}

impl JsonList {
    /// Must be called before each element.
    pub(crate) fn next(&mut self, out: &mut Vec<u8>) {
        if self.has_one {
            out.push(b',');
        }
        self.has_one = true;
    }
}

/// Appends a flat row as an object.
pub(super) fn object(out: &mut Vec<u8>, table: &Table, batch: &Batch, row: usize) {
    out.push(b'{');
    let mut members = JsonList::default();
    for (field, values) in table.fields.iter().zip(&batch.columns) {
        members.next(out);
        text(out, &field.name);
        out.push(b':');
        value(out, field, values, row);
    }
    out.push(b'}');
}

fn value(out: &mut Vec<u8>, field: &Field, values: &Values, row: usize) {
    match values {
        Values::Time(v) => text(out, &field.label(v[row])),
        Values::Id(v) => json(out, &v[row]),
        Values::Name(v) => json(out, &v[row].as_deref()),
        Values::Number(v) => number(out, v[row]),
        Values::Count(v) => json(out, &v[row]),
        Values::Json(v) => json(out, &v[row]),
        Values::Figure(v) => figure(out, &v[row]),
    }
}
