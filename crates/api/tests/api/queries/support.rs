//! Shared helpers of the query tests: encoded parameters, and readers of every text format.

use reqwest::Method;
use serde_json::{Map, Value, json};
use time_series_testkit::{Response, TestApp};
use uuid::Uuid;

use crate::common::{START_SECONDS, add_text_series, as_floats, encode, results, rfc3339};
use crate::queries::JANUARY;

/// A query or path parameter list.
pub(crate) type Pairs<'a> = [(&'a str, &'a str)];

/// A series whose values are bare numbers.
pub(crate) const BARE: &str = "bare";
/// A series whose values are bare texts.
pub(crate) const WORDS: &str = "words";

/// Creates the seed's series, one of `{"value": text}`, one of bare numbers and one of bare texts.
pub(crate) async fn with_all_series(app: &TestApp) {
    app.seed().await;
    add_text_series(app).await;
    app.metric_type(BARE, &json!({"type": "number"})).await;
    app.metric_type(WORDS, &json!({"type": "string"})).await;
}

/// A path with parameters, which are percent-encoded here.
pub(crate) fn url(path: &str, parameters: &Pairs) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    if pairs.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}

/// GET with parameters.
pub(crate) async fn get(app: &TestApp, path: &str, parameters: &Pairs<'_>) -> Response {
    app.get(&url(path, parameters)).await
}

/// GET with parameters and headers.
pub(crate) async fn get_with(
    app: &TestApp,
    path: &str,
    parameters: &Pairs<'_>,
    headers: &Pairs<'_>,
) -> Response {
    app.request(Method::GET, &url(path, parameters), None, headers)
        .await
}

/// GET /api/points/ of a user.
pub(crate) async fn points(app: &TestApp, user: Uuid, parameters: &Pairs<'_>) -> Response {
    get(
        app,
        "/api/points/",
        &[&[("user_id", &*user.to_string())], parameters].concat(),
    )
    .await
}

/// GET /api/timeseries/ of a user, for January 2025.
pub(crate) async fn january(app: &TestApp, user: Uuid, parameters: &Pairs<'_>) -> Response {
    crate::common::get_timeseries(app, user, &[&JANUARY, parameters].concat()).await
}

/// A header of a response; empty if it is absent.
pub(crate) fn header(response: &Response, name: &str) -> String {
    response
        .headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// The metadata of a response.
pub(crate) fn metadata(response: &Response) -> Value {
    response.json()["metadata"].clone()
}

/// The series that a response skipped, sorted.
#[track_caller]
pub(crate) fn skipped(response: &Response) -> Vec<String> {
    let listed = metadata(response)["skipped"]
        .as_array()
        .expect(&response.text)
        .clone();
    let mut names: Vec<_> = listed
        .iter()
        .map(|s| s.as_str().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

/// The time `seconds` after `START`.
pub(crate) fn at(seconds: i64) -> String {
    rfc3339(START_SECONDS + seconds)
}

/// Returns whether both are equal up to rounding errors of numbers.
pub(crate) fn near(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3),
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| near(a, b)))
        }
        _ => one == other,
    }
}

/// Checks all results of a response in order, up to rounding errors, and their count.
#[track_caller]
pub(crate) fn assert_results(response: &Response, expected: &[Value]) {
    assert_eq!(response.status.as_u16(), 200, "{}", response.text);
    let all = results(response);
    let same = all.len() == expected.len() && all.iter().zip(expected).all(|(a, b)| near(a, b));
    assert!(
        same,
        "expected {}\nreceived {}",
        json!(expected),
        response.text
    );
    assert_eq!(
        metadata(response)["count"],
        all.len(),
        "count must be the number of results"
    );
}

/// Checks `bucket, series, value` of all results in order, up to rounding errors.
#[track_caller]
pub(crate) fn assert_buckets(response: &Response, series: &str, expected: &[(&str, Value)]) {
    let row = |(bucket, value): &(&str, Value)| json!({"bucket": bucket, "series": series, "value": value});
    assert_results(response, &expected.iter().map(row).collect::<Vec<_>>());
}

/// The results without null members, with numbers as f64, sorted as text.
pub(crate) fn unordered(rows: &[Value]) -> Vec<Value> {
    let thin = |row: &Value| match as_floats(row) {
        Value::Object(all) => Value::Object(
            all.into_iter()
                .filter(|(_, v)| !v.is_null())
                .collect::<Map<_, _>>(),
        ),
        other => other,
    };
    let mut rows: Vec<_> = rows.iter().map(thin).collect();
    rows.sort_by_key(ToString::to_string);
    rows
}

/// The lines of an NDJSON response, and its last one separately.
#[track_caller]
pub(crate) fn ndjson(text: &str) -> (Vec<Value>, Value) {
    assert!(
        text.ends_with('\n'),
        "the last line has a line end: {text:?}"
    );
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
    let mut lines: Vec<Value> = text.lines().map(parse).collect();
    let end = lines.pop().expect("an end");
    assert_eq!(end["end"], true, "{text}");
    assert!(
        lines.iter().all(|line| line.get("end").is_none()),
        "only one end: {text}"
    );
    (lines, end)
}

/// The records of a CSV text (RFC 4180); a line that starts with `#` is a record of one field.
#[track_caller]
pub(crate) fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => {
                assert!(
                    quoted || field.is_empty(),
                    "a quote inside a plain field: {text:?}"
                );
                quoted = !quoted;
            }
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted => assert_eq!(letters.peek(), Some(&'\n'), "a bare CR: {text:?}"),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            other => field.push(other),
        }
    }
    assert!(
        !quoted && field.is_empty() && record.is_empty(),
        "the last line has a line end: {text:?}"
    );
    records
}

/// The header of a CSV response, its records by column name, and the line that ends it.
#[track_caller]
pub(crate) fn csv_table(text: &str) -> (Vec<String>, Vec<Map<String, Value>>, Option<String>) {
    let mut records = csv(text);
    let end = records.pop_if(|last| last.first().is_some_and(|cell| cell.starts_with('#')));
    let header = records.remove(0);
    let row = |cells: &Vec<String>| {
        assert_eq!(cells.len(), header.len(), "one cell per column: {text}");
        header
            .iter()
            .zip(cells)
            .map(|(name, cell)| (name.clone(), json!(cell)))
            .collect()
    };
    let rows = records.iter().map(row).collect();
    (header, rows, end.map(|cells| cells.join(",")))
}

/// The numbers that follow `"value":` in a JSON text, as the nearest f64.
pub(crate) fn spelled_values(text: &str) -> Vec<f64> {
    let number = |rest: &str| {
        let end = rest
            .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        rest[..end].parse().ok()
    };
    text.split("\"value\":")
        .skip(1)
        .filter_map(|rest| number(rest.trim_start()))
        .collect()
}
