//! Comparison of the rows of an answer with those of the model.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use crate::compare::body::{AggregateBody, ReturnedRow, row_name};
use crate::fixture::calendar::timestamp;
use crate::fixture::json::leaves;
use crate::fixture::metric_type::Path;
use crate::model::aggregate::Query;
use crate::model::axis::Axis;
use crate::model::expected::Expected;
use crate::model::functions::response_key;
use crate::model::rows::{Column, Row};
use crate::runner::Outcome;

/// The label of a bucket in an answer.
pub(crate) fn bucket_label(query: &Query<'_>, bucket: i64) -> String {
    match &query.axis {
        Axis::Offset(_) => iso_duration(bucket),
        Axis::Calendar(calendar) => {
            let offset = jiff::tz::Offset::from_seconds(calendar.offset(bucket))
                .expect("an offset")
                .to_time_zone();
            timestamp(bucket)
                .to_zoned_datetime(offset)
                .strftime("%Y-%m-%dT%H:%M:%S%.f%:z")
                .to_string()
        }
        Axis::Whole => unreachable!("the axis of a query is a calendar or offsets"),
    }
}

/// Converts microseconds to an ISO 8601 duration of hours, minutes and whole seconds.
pub(crate) fn iso_duration(micros: i64) -> String {
    let seconds = micros.abs() / 1_000_000;
    let parts: Vec<String> = [
        (seconds / 3_600, "H"),
        (seconds / 60 % 60, "M"),
        (seconds % 60, "S"),
    ]
    .into_iter()
    .filter(|(n, _)| *n != 0)
    .map(|(n, unit)| format!("{n}{unit}"))
    .collect();
    let sign = if micros < 0 { "-" } else { "" };
    if parts.is_empty() {
        "PT0S".to_owned()
    } else {
        format!("{sign}PT{}", parts.concat())
    }
}

/// An expected row and its name.
struct NamedRow<'a> {
    name: String,
    row: &'a Row,
}

/// Checks that an answer has the expected rows with the expected values in the expected order.
pub(crate) fn expect_rows(query: &Query<'_>, body: &AggregateBody) -> Outcome {
    let rows = query.answer();
    let expected: Vec<NamedRow<'_>> = rows
        .iter()
        .map(|(key, row)| NamedRow {
            name: row_name(&key.series, &bucket_label(query, key.bucket), key.group),
            row,
        })
        .collect();
    let prefixes = column_prefixes(&query.functions, &query.over);
    let mut returned = body.results.iter().peekable();
    for NamedRow { name, row } in &expected {
        let Some(found) = returned.next_if(|returned| returned.name() == *name) else {
            if row.columns.iter().all(may_be_absent) {
                continue;
            }
            return Err(describe_difference(&expected, body));
        };
        expect_row(row, &prefixes, found)
            .map_err(|e| format!("{name}: {e}, in {}", found.value))?;
    }
    if returned.next().is_some() {
        Err(describe_difference(&expected, body))
    } else {
        Ok(())
    }
}

fn may_be_absent(column: &Column) -> bool {
    match column {
        Column::Leaves(leaves) => leaves.values().all(Expected::allows_absence),
        Column::Text(expected) => expected.allows_absence(),
    }
}

fn describe_difference(expected: &[NamedRow<'_>], body: &AggregateBody) -> String {
    let returned: Vec<String> = body.results.iter().map(ReturnedRow::name).collect();
    let expected_names: BTreeSet<&str> = expected.iter().map(|row| row.name.as_str()).collect();
    let returned_names: BTreeSet<&str> = returned.iter().map(String::as_str).collect();
    let missing: Vec<_> = expected_names.difference(&returned_names).take(5).collect();
    let surplus: Vec<_> = returned_names.difference(&expected_names).take(5).collect();
    let counts = format!(
        "{} rows expected, {} returned",
        expected_names.len(),
        returned.len()
    );
    if !missing.is_empty() || !surplus.is_empty() {
        return format!("{counts}: missing {missing:?}, surplus {surplus:?}");
    }
    let names = expected.iter().map(|row| &row.name);
    let pair = names.zip(&returned).find(|(a, b)| a != b);
    format!("{counts}, duplicate or in another order: {pair:?}")
}

/// Returns the keys above the value of each column: that of its function if there are several, and
/// that of the function over it likewise.
pub(crate) fn column_prefixes(functions: &[&str], over: &[&str]) -> Vec<Path> {
    let mut prefixes = vec![Path::new()];
    for level in [functions, over] {
        if level.len() > 1 {
            let extended = |prefix: &Path| -> Vec<Path> {
                level
                    .iter()
                    .map(|function| [prefix.clone(), vec![response_key(function)]].concat())
                    .collect()
            };
            prefixes = prefixes.iter().flat_map(extended).collect();
        }
    }
    prefixes
}

fn expect_row(row: &Row, prefixes: &[Path], returned: &ReturnedRow) -> Outcome {
    if row.columns[0].is_text() {
        for (column, prefix) in row.columns.iter().zip(prefixes) {
            expect_text(column.text(), prefix, prefixes, &returned.value)?;
        }
        return Ok(());
    }
    let mut expected: BTreeMap<Path, &Expected> = BTreeMap::new();
    for (column, prefix) in row.columns.iter().zip(prefixes) {
        for (path, value) in column.leaves() {
            expected.insert([prefix.as_slice(), path].concat(), value);
        }
    }
    let values = leaves(&returned.value);
    // A column without a value may be null.
    let is_null_column = |path: &Path, text: &str| text == "null" && prefixes.contains(path);
    let mut surplus = values
        .iter()
        .filter(|(path, text)| !is_null_column(path, text) && !expected.contains_key(*path));
    if let Some((path, text)) = surplus.next() {
        return Err(format!("{path:?} is not expected, and is {text}"));
    }
    for (path, expected) in expected {
        let text = values.get(&path).map(String::as_str);
        expect_value(expected, &path, text)?;
    }
    Ok(())
}

fn expect_value(expected: &Expected, path: &[String], text: Option<&str>) -> Outcome {
    if expected.accepts(text) {
        Ok(())
    } else {
        let path = path.join(".");
        Err(format!("{path}: {expected:?} expected, {text:?} returned"))
    }
}

/// Checks a column of a series without numbers, whose value may itself be an object.
fn expect_text(
    expected: &Expected,
    prefix: &[String],
    prefixes: &[Path],
    value: &RawValue,
) -> Outcome {
    let mut text = value.get().to_owned();
    for (depth, key) in prefix.iter().enumerate() {
        let mut members: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(&text).map_err(|e| e.to_string())?;
        let siblings: BTreeSet<&String> = prefixes
            .iter()
            .filter(|other| other[..depth] == prefix[..depth])
            .map(|other| &other[depth])
            .collect();
        if members.len() != siblings.len() {
            return Err(format!(
                "{} functions expected, {} returned",
                siblings.len(),
                members.len()
            ));
        }
        let member = members
            .remove(key)
            .ok_or_else(|| format!("{key} is missing"))?;
        member.get().clone_into(&mut text);
    }
    expect_value(expected, prefix, Some(&text))
}

#[cfg(test)]
mod tests {
    use super::iso_duration;

    #[test]
    fn offsets_are_written_as_iso_durations() {
        for (seconds, expected) in [
            (0, "PT0S"),
            (300, "PT5M"),
            (5_400, "PT1H30M"),
            (108_000, "PT30H"),
            (-300, "-PT5M"),
            (-86_400, "-PT24H"),
            (86_390, "PT23H59M50S"),
        ] {
            assert_eq!(iso_duration(seconds * 1_000_000), expected);
        }
    }
}
