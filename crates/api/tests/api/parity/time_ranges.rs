//! Time ranges and intervals, as the original README documents them.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::january;
use crate::common::{
    SCORE, START, as_floats, assert_problem, assert_rows, from_now, get_timeseries, rfc3339, score,
    seconds_from_now, store,
};
use crate::on_both_servers;

on_both_servers![
    a_query_defaults_to_weekly_averages_of_the_last_seven_days,
    min_week_and_month_are_supported_intervals,
    start_time_alone_selects_until_now,
    end_time_alone_selects_the_seven_days_before,
    day_is_a_supported_interval,
    a_bad_interval_or_user_is_a_client_error,
];

async fn a_query_defaults_to_weekly_averages_of_the_last_seven_days(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let (old, recent) = (from_now(-8 * 86_400), seconds_from_now(-600));
    let new = rfc3339(recent);
    let _ = store(
        &app,
        user,
        &old,
        &[score(&old, 1000.0), score(&new, 10.0), score(&new, 20.0)],
    )
    .await;
    let response = app
        .get(&format!("/api/timeseries/?user_id={user}"))
        .await
        .expect(200);
    let body = response.json();
    assert_eq!(
        (&body["metadata"]["interval"], &body["metadata"]["agg_func"]),
        (&json!("week"), &json!("avg"))
    );
    assert_eq!(body["metadata"]["count"], 1, "{body}");
    assert_eq!(
        as_floats(&body["results"][0]["value"]),
        json!(15.0),
        "{body}"
    );
    // Day 0 was a Thursday; this is the Monday of the week of these points.
    let days = recent.div_euclid(86_400);
    assert_eq!(
        body["results"][0]["bucket"],
        rfc3339((days - (days + 3).rem_euclid(7)) * 86_400)
    );
    let bounds = (
        body["metadata"]["start_time"].clone(),
        body["metadata"]["end_time"].clone(),
    );
    let (start, end) = (
        bounds.0.as_str().expect("a start"),
        bounds.1.as_str().expect("an end"),
    );
    assert_eq!(
        start[10..],
        end[10..],
        "whole days of 24 hours apart in UTC"
    );
    let written = [
        ("start_time", start),
        ("end_time", end),
        ("interval", "week"),
        ("agg_func", "avg"),
    ];
    assert_eq!(
        get_timeseries(&app, user, &written)
            .await
            .expect(200)
            .json()["results"],
        body["results"]
    );
}

async fn min_week_and_month_are_supported_intervals(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let times = [
        "2025-01-01T00:01:10Z",
        "2025-01-01T00:01:50Z",
        "2025-01-01T00:02:00Z",
        "2025-01-06T00:00:00Z",
    ];
    let values: Vec<_> = times
        .iter()
        .zip([1.0, 3.0, 5.0, 7.0])
        .map(|(t, v)| score(t, v))
        .collect();
    let _ = store(&app, user, START, &values).await;
    let minutes = get_timeseries(&app, user, &january(&[("interval", "min")])).await;
    let minute = |t: &'static str, v: f64| (t, SCORE, json!(v));
    assert_rows(
        &minutes,
        &[
            minute("2025-01-01T00:01:00Z", 2.0),
            minute("2025-01-01T00:02:00Z", 5.0),
            minute("2025-01-06T00:00:00Z", 7.0),
        ],
    );
    // 1 January 2025 is a Wednesday: its week starts on 30 December, even if the range cuts it.
    let weeks = get_timeseries(&app, user, &january(&[("interval", "week")])).await;
    assert_rows(
        &weeks,
        &[
            minute("2024-12-30T00:00:00Z", 3.0),
            minute("2025-01-06T00:00:00Z", 7.0),
        ],
    );
    let months = get_timeseries(&app, user, &january(&[("interval", "month")])).await;
    assert_rows(&months, &[minute("2025-01-01T00:00:00Z", 4.0)]);
}

async fn start_time_alone_selects_until_now(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let (recent, coming) = (from_now(-600), from_now(6 * 3600));
    let _ = store(
        &app,
        user,
        &recent,
        &[score(&recent, 1.0), score(&coming, 2.0)],
    )
    .await;
    let _ = store(
        &app,
        user,
        START,
        &[score(START, 3.0), score("2025-01-01T00:00:01Z", 4.0)],
    )
    .await;
    let since = [
        ("start_time", "2025-01-01T00:00:01Z"),
        ("interval", "all"),
        ("agg_func", "count"),
    ];
    let response = get_timeseries(&app, user, &since).await.expect(200);
    assert_eq!(
        as_floats(&response.rows()[0].value),
        json!(2.0),
        "{}",
        response.text
    );
}

async fn end_time_alone_selects_the_seven_days_before(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let times = [
        "2025-01-02T11:59:59Z",
        "2025-01-02T12:00:00Z",
        "2025-01-09T11:59:59Z",
        "2025-01-09T12:00:00Z",
    ];
    let data: Vec<_> = times
        .iter()
        .zip([1.0, 2.0, 4.0, 8.0])
        .map(|(t, v)| score(t, v))
        .collect();
    let _ = store(&app, user, START, &data).await;
    let until = [
        ("end_time", "2025-01-09T12:00:00Z"),
        ("interval", "all"),
        ("agg_func", "sum"),
    ];
    assert_rows(
        &get_timeseries(&app, user, &until).await,
        &[("2025-01-02T12:00:00Z", SCORE, json!(6))],
    );
}

async fn day_is_a_supported_interval(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data = [
        score("2025-01-01T23:59:59.999999Z", 1.0),
        score("2025-01-02T00:00:00Z", 2.0),
    ];
    let _ = store(&app, user, START, &data).await;
    let response = get_timeseries(&app, user, &january(&[("interval", "day")])).await;
    assert_rows(
        &response,
        &[
            (START, SCORE, json!(1)),
            ("2025-01-02T00:00:00Z", SCORE, json!(2)),
        ],
    );
}

async fn a_bad_interval_or_user_is_a_client_error(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    assert_problem(
        &app.timeseries(Uuid::new_v4(), "interval=fortnight").await,
        422,
        "invalid_parameters",
    );
    assert_problem(
        &app.get("/api/timeseries/?user_id=me").await,
        422,
        "invalid_parameters",
    );
    assert_problem(
        &app.get("/api/timeseries/").await,
        422,
        "invalid_parameters",
    );
}
