//! Reads points that are sent as columns: `{"series", "times", "values"}`.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;

use super::FieldErrorCode;
use super::bounded_seq::{BoundedSeq, MAX_POINTS};
use super::field_error::EntryError;
use super::fields::read_time;
use super::leaf_columns::{Elements, NOT_AN_ARRAY, find_leaves};
use super::raw_values::ColumnValues;
use super::shape::{NumericColumns, Shape};
use crate::Timestamp;
use crate::json::{RawFields, numbers};
use crate::text::echo;

/// Receives each error of an entry.
pub(super) type ErrorSink<'a> = dyn FnMut(EntryError) + 'a;

/// Evenly spaced times.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps<'a> {
    #[serde(borrow)]
    start: &'a RawValue,
    #[serde(borrow)]
    step: Cow<'a, str>,
}

/// Reads `times` and finds the offsets of `values` in the body; `None` if there is an error.
///
/// `times` is an array of RFC 3339 times or `{"start", "step"}`. `values` is an array of one value
/// per time, or an object of such arrays, one per leaf. The values are not parsed.
pub(super) fn read_columns(
    body: &str,
    times: &RawValue,
    values: &RawValue,
    errors: &mut ErrorSink<'_>,
) -> Option<(Vec<Timestamp>, ColumnValues)> {
    let (values, count) = if let Some(b'{') = values.get().as_bytes().first() {
        let (leaves, columns) = find_leaves(body, values, errors)?;
        let count = columns.first().map_or(0, Vec::len);
        (ColumnValues::Leaves(leaves, columns), count)
    } else {
        let list = find_list(body, values, errors)?;
        let count = list.len();
        (ColumnValues::List(list), count)
    };
    let times = match times.get().as_bytes().first() {
        Some(b'{') => read_steps(times, count, errors)?,
        _ => read_times(times, errors)?,
    };
    if times.len() != count {
        let message = format!(
            "has {count} values for {} times; send one for each",
            times.len()
        );
        errors(EntryError::new(
            "/values",
            FieldErrorCode::InvalidType,
            message,
        ));
        return None;
    }
    Some((times, values))
}

/// Reads columns whose values consist of numbers, as [`read_columns`] does; `None` if there are
/// other values or an error.
pub(super) fn read_numeric_columns(
    times: &RawValue,
    values: &RawValue,
) -> Option<(Vec<Timestamp>, NumericColumns)> {
    let values = match values.get().as_bytes().first() {
        Some(b'{') => {
            let fields: RawFields<'_> = serde_json::from_str(values.get()).ok()?;
            let keys = || fields.0.iter().map(|(key, _)| key.as_ref());
            let shape =
                Shape::object(keys()).filter(|_| !keys().any(|key| key.contains(['\0', '.'])))?;
            let columns: Option<_> = fields
                .0
                .iter()
                .map(|(_, raw)| numeric_column(raw))
                .collect();
            NumericColumns {
                shape,
                columns: columns?,
            }
        }
        _ if first_element(values) == Some(b'{') => numeric_objects(values)?,
        _ => NumericColumns {
            shape: Shape::Number,
            columns: vec![numeric_column(values)?],
        },
    };
    let count = values.columns.first()?.len();
    let mut ignore = |_| {};
    let times = match times.get().as_bytes().first() {
        Some(b'{') => read_steps(times, count, &mut ignore)?,
        _ => read_times(times, &mut ignore)?,
    };
    let is_equal_length =
        times.len() == count && values.columns.iter().all(|column| column.len() == count);
    is_equal_length.then_some((times, values))
}

fn numeric_column(raw: &RawValue) -> Option<Vec<f64>> {
    let mut column = Vec::new();
    let is_numeric = numbers::elements(raw.get(), |number| {
        column.push(number);
        column.len() <= MAX_POINTS
    });
    is_numeric.then_some(column)
}

/// Returns the first byte of the first element of an array.
fn first_element(raw: &RawValue) -> Option<u8> {
    let inside = raw.get().strip_prefix('[')?.trim_start();
    inside.bytes().next()
}

/// Reads objects of numbers that all have the keys of the first object, in the same order.
fn numeric_objects(raw: &RawValue) -> Option<NumericColumns> {
    let (mut keys, mut columns): (Vec<&str>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    let mut objects = 0;
    let is_numeric = numbers::objects(raw.get(), |object, member, key, number| {
        objects = object + 1;
        if object == 0 {
            keys.push(key);
            columns.push(Vec::new());
        }
        let is_of_shape = objects <= MAX_POINTS
            && keys.get(member) == Some(&key)
            && columns[member].len() == object;
        if is_of_shape {
            columns[member].push(number);
        }
        is_of_shape
    });
    let is_complete = columns.iter().all(|column| column.len() == objects);
    let shape = Shape::object(keys).filter(|_| is_numeric && is_complete)?;
    Some(NumericColumns { shape, columns })
}

/// Returns the offset of each element of the array `/values` in the body.
fn find_list(body: &str, raw: &RawValue, errors: &mut ErrorSink<'_>) -> Option<Vec<u32>> {
    let mut offsets = Vec::new();
    let found = Elements {
        body,
        offsets: &mut offsets,
    }
    .deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
    if found.is_err() {
        errors(EntryError::new(
            "/values",
            FieldErrorCode::InvalidType,
            NOT_AN_ARRAY,
        ));
        return None;
    }
    if offsets.len() > MAX_POINTS {
        errors(EntryError::new(
            "/values",
            FieldErrorCode::TooManyPoints,
            too_many(),
        ));
        return None;
    }
    Some(offsets)
}

fn read_times(raw: &RawValue, errors: &mut ErrorSink<'_>) -> Option<Vec<Timestamp>> {
    let Ok(raws) = serde_json::from_str::<BoundedSeq<&RawValue>>(raw.get()) else {
        let message = "must be an array of RFC 3339 times, or {\"start\", \"step\"}";
        errors(EntryError::new(
            "/times",
            FieldErrorCode::InvalidType,
            message,
        ));
        return None;
    };
    if raws.is_too_long() {
        errors(EntryError::new(
            "/times",
            FieldErrorCode::TooManyPoints,
            too_many(),
        ));
        return None;
    }
    let raws = raws.0;
    let mut times = Vec::with_capacity(raws.len());
    let mut is_valid = true;
    for (index, raw) in raws.into_iter().enumerate() {
        match read_time(raw.get()) {
            Ok(time) => times.push(time),
            Err(invalid) => {
                is_valid = false;
                errors(invalid.at(format!("/times/{index}")));
            }
        }
    }
    is_valid.then_some(times)
}

fn read_steps(raw: &RawValue, count: usize, errors: &mut ErrorSink<'_>) -> Option<Vec<Timestamp>> {
    let Ok(steps) = serde_json::from_str::<Steps<'_>>(raw.get()) else {
        let message =
            "must have start, an RFC 3339 time, and step, such as \"1s\", and nothing else";
        errors(EntryError::new(
            "/times",
            FieldErrorCode::InvalidType,
            message,
        ));
        return None;
    };
    let start = read_time(steps.start.get()).map_err(|invalid| errors(invalid.at("/times/start")));
    let step = step_micros(&steps.step);
    if step.is_none() {
        let message = format!(
            "is {:?}; it must be a duration above 0 such as \"1s\", \"40ms\", \"500us\", \"1m\"",
            echo(&steps.step)
        );
        errors(EntryError::new(
            "/times/step",
            FieldErrorCode::InvalidTime,
            message,
        ));
    }
    let (start, step) = (start.ok()?, step?);
    let time_at = |index: usize| {
        let after = i64::try_from(index).ok()?.checked_mul(step)?;
        start
            .micros()
            .checked_add(after)
            .filter(|t| *t <= Timestamp::MAX.micros())
            .map(Timestamp::from_micros)
    };
    let times: Option<Vec<Timestamp>> = (0..count).map(time_at).collect();
    if times.is_none() {
        errors(EntryError::new(
            "/times/step",
            FieldErrorCode::ImplausibleTime,
            "is too long: the last time is after the year 9999",
        ));
    }
    times
}

pub(super) fn too_many() -> String {
    format!("has more than {MAX_POINTS} elements, the limit of one session's body")
}

/// Parses a whole number of `us`, `ms`, `s`, `m` or `h` to microseconds.
fn step_micros(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let micros = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        _ => return None,
    };
    number
        .parse::<i64>()
        .ok()?
        .checked_mul(micros)
        .filter(|step| *step > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::super::location::Locations;
    use super::super::raw_values::RawValues;

    /// Returns the points of an entry, or its errors with their pointers.
    fn points(times: &str, values: &str) -> Result<Vec<String>, Vec<String>> {
        let body = format!("[{times},{values}]");
        let parts: Vec<&RawValue> = serde_json::from_str(&body).expect("JSON");
        let mut errors = Vec::new();
        let read = read_columns(&body, parts[0], parts[1], &mut |error| {
            errors.push(format!("{} {}", error.pointer, error.message));
        });
        let Some((times, values)) = read else {
            return Err(errors);
        };
        let (mut points, mut locations) = (RawValues::of_body(&body), Locations::default());
        points.push_entry(0, "s", times, values, &mut locations);
        let mut shown = Vec::new();
        for point in 0..points.len() {
            match points.value(point).expect("a value") {
                Ok(value) => shown.push(format!("{} {value}", points.time(point).expect("a time"))),
                Err(of_value) => {
                    errors.extend(
                        of_value
                            .iter()
                            .map(|e| format!("{} {e}", locations.of(point).value(&e.pointer))),
                    );
                }
            }
        }
        if errors.is_empty() {
            Ok(shown)
        } else {
            Err(errors)
        }
    }

    #[test]
    fn values_in_an_array_are_one_per_time() {
        let expected = [
            "2025-01-01T00:00:00Z 1",
            "2025-01-01T00:00:01Z {\"a\":null}",
        ]
        .map(str::to_owned)
        .to_vec();
        assert_eq!(
            points(
                r#"["2025-01-01T00:00:00Z","2025-01-01T00:00:01Z"]"#,
                r#"[1,{"a":null}]"#
            ),
            Ok(expected.clone())
        );
        assert_eq!(
            points(
                r#"{"start":"2025-01-01T00:00:00Z","step":"1000ms"}"#,
                r#"[1,{"a":null}]"#
            ),
            Ok(expected)
        );
        assert_eq!(points("[]", "[]"), Ok(Vec::new()));
    }

    #[test]
    fn values_in_an_object_are_one_array_per_leaf() {
        let start = r#"{"start":"2025-01-01T00:00:00Z","step":"1m"}"#;
        let expected = [
            "2025-01-01T00:00:00Z {\"g\":3,\"r\":1}",
            "2025-01-01T00:01:00Z {\"g\":4,\"r\":2}",
        ];
        assert_eq!(
            points(start, r#"{"r":[1,2],"g":[3,4]}"#),
            Ok(expected.map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn every_error_has_a_pointer() {
        let pointers = |times: &str, values: &str| -> Vec<String> {
            let errors = points(times, values).expect_err("errors");
            errors
                .iter()
                .filter_map(|error| error.split(' ').next())
                .map(str::to_owned)
                .collect()
        };
        let start = r#"{"start":"2025-01-01T00:00:00Z","step":"1s"}"#;
        assert_eq!(pointers(r#"["x",1]"#, "[1,2]"), ["/times/0", "/times/1"]);
        assert_eq!(
            pointers(r#"["2025-01-01T00:00:00Z"]"#, "[1,2]"),
            ["/values"]
        );
        assert_eq!(
            pointers(start, r#"[1,1e141,"\u0000"]"#),
            ["/values/1", "/values/2"]
        );
        assert_eq!(pointers(start, r#"{"r":[1,2],"g":[3]}"#), ["/values/g"]);
        assert_eq!(pointers(start, r#"{"r":[1],"r":[3]}"#), ["/values/r"]);
        assert_eq!(pointers(start, r#"{"r":1}"#), ["/values/r"]);
        assert_eq!(pointers(start, "7"), ["/values"]);
        for step in ["0s", "1", "-1s", "1.5s", "", "s", "9223372036854775807h"] {
            assert_eq!(
                pointers(
                    &format!(r#"{{"start":"2025-01-01T00:00:00Z","step":"{step}"}}"#),
                    "[1]"
                ),
                ["/times/step"]
            );
        }
        assert_eq!(
            pointers(
                r#"{"start":"2025-01-01T00:00:00Z","step":"1000000000h"}"#,
                "[1,2]"
            ),
            ["/times/step"]
        );
        assert_eq!(
            pointers(r#"{"start":"2025-01-01T00:00:00Z"}"#, "[1]"),
            ["/times"]
        );
        assert_eq!(pointers("7", "[1]"), ["/times"]);
    }
}
