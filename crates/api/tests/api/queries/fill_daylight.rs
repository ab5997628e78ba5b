//! Filling across the days of 23 and 25 hours in Berlin.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, get_timeseries, score, store};
use crate::on_both_servers;
use crate::queries::support::assert_buckets;

on_both_servers![
    linear_fill_crosses_the_short_day,
    linear_fill_crosses_the_long_day,
    previous_fill_crosses_the_short_day,
    a_lookback_has_a_fixed_length,
    hourly_fill_skips_the_missing_hour,
];

/// The starts of days around 30 March 2025, when clocks went forward.
const SPRING: [&str; 5] = [
    "2025-03-29T00:00:00+01:00",
    "2025-03-30T00:00:00+01:00",
    "2025-03-31T00:00:00+02:00",
    "2025-04-01T00:00:00+02:00",
    "2025-04-02T00:00:00+02:00",
];

/// Queries by day in Berlin, with local dates.
async fn query_berlin(
    app: &TestApp,
    user: Uuid,
    start: &str,
    end: &str,
    more: &[(&str, &str)],
) -> time_series_testkit::Response {
    let parameters = [
        ("start_time", start),
        ("end_time", end),
        ("tz", "Europe/Berlin"),
        ("interval", "day"),
    ];
    get_timeseries(app, user, &[&parameters, more].concat()).await
}

/// Stores 0 at noon of 29 March and 71 in the evening of 1 April: the starts of those days are
/// 71 hours apart.
async fn spring(backend: Backend) -> (TestApp, Uuid) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data = [
        score("2025-03-29T12:00:00+01:00", 0.0),
        score("2025-04-01T20:00:00+02:00", 71.0),
    ];
    let _ = store(&app, user, "2025-03-29T12:00:00+01:00", &data).await;
    (app, user)
}

async fn linear_fill_crosses_the_short_day(backend: Backend) {
    let (app, user) = spring(backend).await;
    let expected = [0, 24, 47, 71].map(|value| json!(value));
    let rows: Vec<_> = SPRING.into_iter().zip(expected).collect();
    let response = query_berlin(
        &app,
        user,
        "2025-03-29",
        "2025-04-02",
        &[("fill", "linear")],
    )
    .await;
    assert_buckets(&response, SCORE, &rows);
    // The result is the same if the first day is known from the lookback and the last is unknown.
    let known = [("fill", "linear"), ("fill_lookback", "7d")];
    let response = query_berlin(&app, user, "2025-03-30", "2025-04-03", &known).await;
    let mut rows = rows[1..].to_vec();
    rows.push((SPRING[4], Value::Null));
    assert_buckets(&response, SCORE, &rows);
}

async fn linear_fill_crosses_the_long_day(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data = [
        score("2025-10-25T12:00:00+02:00", 0.0),
        score("2025-10-27T01:00:00+01:00", 49.0),
    ];
    let _ = store(&app, user, "2025-10-25T12:00:00+02:00", &data).await;
    let expected = [
        ("2025-10-25T00:00:00+02:00", json!(0)),
        ("2025-10-26T00:00:00+02:00", json!(24)),
        ("2025-10-27T00:00:00+01:00", json!(49)),
    ];
    let response = query_berlin(
        &app,
        user,
        "2025-10-25",
        "2025-10-28",
        &[("fill", "linear")],
    )
    .await;
    assert_buckets(&response, SCORE, &expected);
}

async fn previous_fill_crosses_the_short_day(backend: Backend) {
    let (app, user) = spring(backend).await;
    let known = [
        ("fill", "previous"),
        ("fill_lookback", "7d"),
        ("agg_func", "max,count"),
    ];
    let response = query_berlin(&app, user, "2025-03-30", "2025-04-03", &known).await;
    let cell = |max: i32, count: i32| json!({"max": max, "count": count});
    let expected = [cell(0, 0), cell(0, 0), cell(71, 1), cell(71, 0)];
    assert_buckets(
        &response,
        SCORE,
        &SPRING[1..]
            .iter()
            .copied()
            .zip(expected)
            .collect::<Vec<_>>(),
    );
}

/// A lookback of one day from the start of 31 March is 24 hours: to 23:00 of 29 March.
async fn a_lookback_has_a_fixed_length(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (inside, outside) = (Uuid::new_v4(), Uuid::new_v4());
    let day = "2025-03-29T12:00:00+01:00";
    let data = [
        score("2025-03-29T22:30:00+01:00", 100.0),
        score("2025-03-29T23:30:00+01:00", 5.0),
    ];
    let _ = store(&app, inside, day, &data).await;
    let _ = store(&app, outside, day, &data[..1]).await;
    for lookback in ["1d", "24h", "1440m", "86400s"] {
        let known = [("fill", "previous"), ("fill_lookback", lookback)];
        let response = query_berlin(&app, inside, "2025-03-31", "2025-04-01", &known).await;
        assert_buckets(&response, SCORE, &[(SPRING[2], json!(5))]);
        let response = query_berlin(&app, outside, "2025-03-31", "2025-04-01", &known).await;
        assert_buckets(&response, SCORE, &[]);
    }
    let known = [("fill", "previous"), ("fill_lookback", "25h")];
    let response = query_berlin(&app, inside, "2025-03-31", "2025-04-01", &known).await;
    assert_buckets(&response, SCORE, &[(SPRING[2], json!(52.5))]);
}

async fn hourly_fill_skips_the_missing_hour(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data = [
        score("2025-03-30T00:30:00+01:00", 3.0),
        score("2025-03-30T04:30:00+02:00", 6.0),
    ];
    let _ = store(&app, user, "2025-03-30T00:00:00+01:00", &data).await;
    let parameters = [
        ("start_time", "2025-03-30T00:00:00+01:00"),
        ("end_time", "2025-03-30T05:00:00+02:00"),
        ("tz", "Europe/Berlin"),
        ("interval", "hour"),
        ("fill", "linear"),
    ];
    // No hour starts at two.
    let expected = [
        ("2025-03-30T00:00:00+01:00", json!(3)),
        ("2025-03-30T01:00:00+01:00", json!(4)),
        ("2025-03-30T03:00:00+02:00", json!(5)),
        ("2025-03-30T04:00:00+02:00", json!(6)),
    ];
    assert_buckets(
        &get_timeseries(&app, user, &parameters).await,
        SCORE,
        &expected,
    );
}
