//! Comma-separated values: RFC 4180, lines end with CR LF, null is an empty field.

use std::io::Write;

use time_series_domain::Json;
use time_series_domain::query::Figure;

use super::table::{Batch, Field, Table, Values};

const END_OF_LINE: &[u8] = b"\r\n";

pub(super) fn header(out: &mut Vec<u8>, table: &Table) {
    for (i, field) in table.fields.iter().enumerate() {
        comma(out, i);
        quoted(out, &field.name);
    }
    out.extend_from_slice(END_OF_LINE);
}

pub(super) fn row(out: &mut Vec<u8>, table: &Table, batch: &Batch, row: usize) {
    for (i, (field, values)) in table.fields.iter().zip(&batch.columns).enumerate() {
        comma(out, i);
        cell(out, field, values, row);
    }
    out.extend_from_slice(END_OF_LINE);
}

/// Writes the end marker, which distinguishes a complete stream from a truncated one.
pub(super) fn end(out: &mut Vec<u8>, rows: u64) {
    let _ = write!(out, "# end of {rows} rows\r\n");
}

fn comma(out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.push(b',');
    }
}

fn cell(out: &mut Vec<u8>, field: &Field, values: &Values, row: usize) {
    match values {
        Values::Time(v) => quoted(out, &field.label(v[row])),
        Values::Id(v) => v[row].iter().for_each(|id| drop(write!(out, "{id}"))),
        Values::Name(v) => v[row].iter().for_each(|name| quoted(out, name)),
        Values::Number(v) => v[row]
            .iter()
            .for_each(|n| super::json::number(out, Some(*n))),
        Values::Count(v) => v[row].iter().for_each(|n| drop(write!(out, "{n}"))),
        Values::Json(v) => v[row].iter().for_each(|value| json(out, value)),
        Values::Figure(v) => match &v[row] {
            Figure::Absent | Figure::Null => {}
            // Text is written as JSON, as in the points, so that a spreadsheet does not evaluate a
            // text that begins with =, + or @.
            Figure::Text(value) => quoted(out, &value.to_string()),
            number => super::json::figure(out, number),
        },
    }
}

/// Writes a string without JSON quotes, any other value as JSON.
fn json(out: &mut Vec<u8>, value: &Json) {
    match value {
        Json::String(text) => quoted(out, text),
        other => quoted(out, &other.to_string()),
    }
}

fn quoted(out: &mut Vec<u8>, text: &str) {
    let needs_quotes =
        text.is_empty() || text.contains(['"', ',', '\r', '\n']) || text.starts_with('#');
    if !needs_quotes {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}
