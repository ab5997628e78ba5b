//! Shared helpers of the tests: request bodies, times, URL encoding and checks of responses.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use time_series_testkit::{Response, TestApp};
use uuid::Uuid;

pub(crate) use time_series_testkit::{gzip, zstd};

/// The start of most sessions: a Wednesday.
pub(crate) const START: &str = "2025-01-01T00:00:00Z";
/// [`START`] in seconds since 1970.
pub(crate) const START_SECONDS: i64 = 1_735_689_600;

pub(crate) const SCORE: &str = "session.gut_health_score";
pub(crate) const COLOR: &str = "session.urine.color";
pub(crate) const COUNT: &str = "session.urine.night_count";
pub(crate) const NOTE: &str = "session.example.series";

/// Declares each rule as one test on plain PostgreSQL and one on TimescaleDB.
#[macro_export]
macro_rules! on_both_servers {
    ($($rule:ident),* $(,)?) => {
        mod plain {
            $(#[tokio::test] async fn $rule() { super::$rule(time_series_testkit::Backend::Plain).await; })*
        }
        mod timescaledb {
            $(#[tokio::test] async fn $rule() { super::$rule(time_series_testkit::Backend::Timescaledb).await; })*
        }
    };
}

/// Creates the text series of the seed's example.
pub(crate) async fn add_text_series(app: &TestApp) {
    let text = json!({"type": "object", "properties": {"value": {"type": "string"}}, "required": ["value"]});
    app.metric_type(NOTE, &text).await;
}

pub(crate) fn point(series: &str, time: &str, value: &Value) -> Value {
    json!({"series": series, "time": time, "value": value})
}

/// A point of a series of `{"value": number}`.
pub(crate) fn score(time: &str, value: f64) -> Value {
    point(SCORE, time, &json!({"value": value}))
}

pub(crate) fn session(user: Uuid, id: Uuid, start: &str, data: &[Value]) -> Value {
    json!({"user_id": user, "session_id": id, "start_ts": start, "data": data})
}

/// Stores a new session and returns its id.
pub(crate) async fn store(app: &TestApp, user: Uuid, start: &str, data: &[Value]) -> Uuid {
    let id = Uuid::new_v4();
    let _ = app
        .post("/api/sessions/", &session(user, id, start, data))
        .await
        .expect(201);
    id
}

/// The characters that need no escaping in a URL (RFC 3986).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Percent-encodes a value for a URL.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// Sends GET /api/timeseries/ with parameters, which are percent-encoded here.
pub(crate) async fn get_timeseries(
    app: &TestApp,
    user: Uuid,
    parameters: &[(&str, &str)],
) -> Response {
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(k, v)| format!("{k}={}", encode(v)))
        .collect();
    app.timeseries(user, &parameters.join("&")).await
}

/// Converts every number to f64, so that 7 equals 7.0.
pub(crate) fn as_floats(value: &Value) -> Value {
    match value {
        Value::Number(n) => json!(n.as_f64()),
        Value::Array(all) => all.iter().map(as_floats).collect(),
        Value::Object(all) => {
            Value::Object(all.iter().map(|(k, v)| (k.clone(), as_floats(v))).collect())
        }
        other => other.clone(),
    }
}

/// Checks all rows of a response in order: bucket, series, value.
#[track_caller]
pub(crate) fn assert_rows(response: &Response, expected: &[(&str, &str, Value)]) {
    assert_eq!(response.status.as_u16(), 200, "{}", response.text);
    let body = response.json();
    let rows: Vec<_> = body["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(as_floats)
        .collect();
    let row = |(bucket, series, value): &(&str, &str, Value)| {
        as_floats(&json!({"bucket": bucket, "series": series, "value": value}))
    };
    assert_eq!(
        rows,
        expected.iter().map(row).collect::<Vec<_>>(),
        "{}",
        response.text
    );
    assert_eq!(
        body["metadata"]["count"],
        rows.len(),
        "count must be the number of results"
    );
}

/// The results of a response.
pub(crate) fn results(response: &Response) -> Vec<Value> {
    response.json()["results"]
        .as_array()
        .expect(&response.text)
        .clone()
}

/// The distinct series of a response, sorted.
pub(crate) fn series_of(response: &Response) -> Vec<String> {
    let all = results(response);
    let names: BTreeSet<_> = all
        .iter()
        .map(|r| r["series"].as_str().unwrap_or_default().to_owned())
        .collect();
    names.into_iter().collect()
}

/// Number of points of the user since 1970 according to the aggregates;
/// of values with several leaves, the count of the first leaf.
pub(crate) async fn points_of(app: &TestApp, user: Uuid) -> u64 {
    let all = [
        ("start_time", "1970-01-01"),
        ("end_time", "2100-01-01"),
        ("interval", "all"),
        ("agg_func", "count"),
    ];
    let response = get_timeseries(app, user, &all).await.expect(200);
    let count = |v: &Value| {
        v.as_u64()
            .or_else(|| v.as_object()?.values().next()?.as_u64())
            .expect(&response.text)
    };
    results(&response).iter().map(|r| count(&r["value"])).sum()
}

/// The ids of a user's sessions, as listed.
pub(crate) async fn sessions_of(app: &TestApp, user: Uuid) -> Vec<String> {
    ids(&app
        .get(&format!("/api/sessions/?user_id={user}&limit=1000"))
        .await
        .expect(200))
}

/// The session ids of a page.
pub(crate) fn ids(page: &Response) -> Vec<String> {
    results(page)
        .iter()
        .map(|s| s["session_id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Checks that a response is a complete RFC 9457 problem with this status and code.
#[track_caller]
pub(crate) fn assert_problem(response: &Response, status: u16, code: &str) {
    assert_eq!(response.status.as_u16(), status, "{}", response.text);
    let content_type = response
        .headers
        .get("content-type")
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    assert!(
        content_type.starts_with("application/problem+json"),
        "{content_type:?}: {}",
        response.text
    );
    let body = response.json();
    assert_eq!(body["code"], code, "{}", response.text);
    assert_eq!(body["status"], status, "{}", response.text);
    for member in ["type", "title", "detail"] {
        assert!(
            body[member].as_str().is_some_and(|t| !t.is_empty()),
            "no {member}: {}",
            response.text
        );
    }
}

/// Checks that a problem lists exactly these faults, each as `pointer code`, in any order.
#[track_caller]
pub(crate) fn assert_faults(response: &Response, expected: &[&str]) {
    let (mut actual, mut expected) = (response.faults(), expected.to_vec());
    actual.sort();
    expected.sort_unstable();
    assert_eq!(actual, expected, "{}", response.text);
}

/// The time `seconds` from now in RFC 3339, in whole seconds.
pub(crate) fn from_now(seconds: i64) -> String {
    rfc3339(seconds_from_now(seconds))
}

/// The time `seconds` from now, in seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the service under test reads the same clock"
)]
pub(crate) fn seconds_from_now(seconds: i64) -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    i64::try_from(now).expect("fits") + seconds
}

/// Seconds since 1970 as RFC 3339.
pub(crate) fn rfc3339(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).expect("a year up to 9999");
    time.to_string()
}
