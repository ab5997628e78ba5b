//! Queries above a limit are rejected before any work, with an estimate.

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp, TestAppBuilder};
use uuid::Uuid;

use crate::common::{
    COLOR, SCORE, START, assert_problem, assert_rows, get_timeseries, point, score, store,
};
use crate::on_both_servers;
use crate::queries::support::{at, january, metadata};

on_both_servers![
    filled_rows_are_counted_before_they_are_generated,
    filled_rows_count_for_each_series_and_group,
    filled_rows_of_sessions_count_towards_the_limit,
    rows_of_groups_count_towards_the_limit,
    too_many_points_to_read_are_rejected,
    summaries_read_no_points,
    every_use_of_memory_is_limited,
];

/// Checks the code of a rejection, its estimate and its advice.
#[track_caller]
pub(super) fn assert_too_much(response: &Response, code: &str) {
    assert_problem(response, 422, code);
    let estimate = response.json()["estimate"].clone();
    assert!(
        estimate.as_object().is_some_and(|e| !e.is_empty()),
        "an estimate: {}",
        response.text
    );
    let numbers = estimate
        .as_object()
        .expect("an object")
        .values()
        .any(Value::is_number);
    assert!(numbers, "numbers in the estimate: {}", response.text);
}

pub(super) async fn with(builder: TestAppBuilder) -> TestApp {
    let app = builder.start().await;
    app.seed().await;
    app
}

async fn filled_rows_are_counted_before_they_are_generated(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 1.0)]).await;
    for fill in ["null", "zero", "previous", "linear"] {
        let years = [
            ("start_time", "2024-01-01"),
            ("end_time", "2034-01-01"),
            ("interval", "1s"),
            ("fill", fill),
        ];
        assert_too_much(&get_timeseries(&app, user, &years).await, "too_many_rows");
        let all = [
            ("start_time", "0001-01-01"),
            ("end_time", "9999-12-31"),
            ("interval", "1s"),
            ("fill", fill),
        ];
        let response = get_timeseries(&app, user, &all).await;
        assert!(
            ["too_many_rows", "invalid_parameters"].contains(&&*response.code()),
            "{}",
            response.text
        );
    }
    // Without filling, the result is one row.
    let year = [
        ("start_time", "2024-06-01"),
        ("end_time", "2025-06-01"),
        ("interval", "1s"),
        ("fill", "none"),
    ];
    assert_rows(
        &get_timeseries(&app, user, &year).await,
        &[(START, SCORE, json!(1))],
    );
}

async fn filled_rows_count_for_each_series_and_group(backend: Backend) {
    let app = with(TestApp::with(backend).max_rows(10)).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    for _ in 0..2 {
        let _ = store(
            &app,
            user,
            START,
            &[score(START, 1.0), point(COLOR, START, &rgb)],
        )
        .await;
    }
    let days = [
        ("start_time", "2025-01-01"),
        ("end_time", "2025-01-07"),
        ("interval", "day"),
        ("fill", "null"),
    ];
    assert_too_much(&get_timeseries(&app, user, &days).await, "too_many_rows");
    let one = [days.as_slice(), &[("series", SCORE)]].concat();
    assert_eq!(
        metadata(&get_timeseries(&app, user, &one).await.expect(200))["count"],
        6
    );
    let groups = [one.as_slice(), &[("group_by", "session")]].concat();
    assert_too_much(&get_timeseries(&app, user, &groups).await, "too_many_rows");
    let fits = [
        ("start_time", "2025-01-01"),
        ("end_time", "2025-01-06"),
        ("interval", "day"),
        ("fill", "null"),
    ];
    assert_eq!(
        metadata(&get_timeseries(&app, user, &fits).await.expect(200))["count"],
        10,
        "a count equal to the limit is accepted"
    );
}

async fn filled_rows_of_sessions_count_towards_the_limit(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(
        &app,
        user,
        START,
        &[score(START, 1.0), score(&at(20 * 86_400), 2.0)],
    )
    .await;
    let parameters = [("align", "session"), ("interval", "1s"), ("fill", "zero")];
    assert_too_much(&january(&app, user, &parameters).await, "too_many_rows");
    assert_eq!(
        metadata(&january(&app, user, &parameters[..2]).await.expect(200))["count"],
        2
    );
}

async fn rows_of_groups_count_towards_the_limit(backend: Backend) {
    let app = with(TestApp::with(backend).max_rows(4)).await;
    let user = Uuid::new_v4();
    for _ in 0..5 {
        let _ = store(&app, user, START, &[score(START, 1.0)]).await;
    }
    assert_too_much(
        &january(&app, user, &[("group_by", "session")]).await,
        "too_many_rows",
    );
    let one = january(&app, user, &[("over", "count"), ("interval", "month")]).await;
    assert_rows(&one, &[(START, SCORE, json!(5))]);
}

/// Stores 400 points on each of two days.
async fn two_days(backend: Backend) -> (TestApp, Uuid) {
    let app = with(TestApp::with(backend).max_points_read(500)).await;
    let user = Uuid::new_v4();
    for day in 0..2 {
        let data: Vec<_> = (0..400)
            .map(|i| score(&at(day * 86_400 + i), 1.0))
            .collect();
        let _ = store(&app, user, &at(day * 86_400), &data).await;
    }
    (app, user)
}

async fn too_many_points_to_read_are_rejected(backend: Backend) {
    let (app, user) = two_days(backend).await;
    for more in [
        [("agg_func", "median")],
        [("agg_func", "mode")],
        [("agg_func", "time_avg")],
    ] {
        let whole = [&[("interval", "day")], more.as_slice()].concat();
        assert_too_much(&january(&app, user, &whole).await, "too_many_points");
        let day = [("start_time", "2025-01-01"), ("end_time", "2025-01-02")];
        assert_rows(
            &get_timeseries(&app, user, &[&day, whole.as_slice()].concat()).await,
            &[(START, SCORE, json!(1))],
        );
    }
}

async fn summaries_read_no_points(backend: Backend) {
    let (app, user) = two_days(backend).await;
    let parameters = [
        ("interval", "month"),
        ("agg_func", "avg,min,max,count,sum,first,last,range"),
    ];
    let expected = json!({"avg": 1, "min": 1, "max": 1, "count": 800, "sum": 800, "first": 1, "last": 1, "range": 0});
    assert_rows(
        &january(&app, user, &parameters).await,
        &[(START, SCORE, expected)],
    );
}

async fn every_use_of_memory_is_limited(backend: Backend) {
    const POINTS: usize = 40_000;
    let app = with(TestApp::with(backend).max_answer_bytes(300_000)).await;
    let user = Uuid::new_v4();
    let values = vec!["1.5"; POINTS].join(",");
    let body = format!(
        r#"{{"user_id":"{user}","start_ts":"{START}","data":[{{"series":"{SCORE}","times":{{"start":"{START}","step":"1s"}},"values":{{"value":[{values}]}}}}]}}"#
    );
    let _ = app.post_text("/api/sessions/", &body).await.expect(201);
    let rows = [("interval", "1s")];
    let text_rows = [("interval", "1s"), ("format", "csv")];
    let values = [("interval", "month"), ("agg_func", "median")];
    let filled = [
        ("interval", "20s"),
        ("fill", "zero"),
        ("agg_func", "avg,min,max,count,sum"),
    ];
    for parameters in [rows.as_slice(), &text_rows, &values, &filled] {
        assert_too_much(&january(&app, user, parameters).await, "too_much_memory");
    }
    let downsampled = app
        .get(&format!(
            "/api/points/?user_id={user}&series={SCORE}&max_points=100"
        ))
        .await;
    assert_too_much(&downsampled, "too_much_memory");
    // All memory was released, and a small query succeeds.
    let hours = january(&app, user, &[("interval", "hour")])
        .await
        .expect(200);
    assert_eq!(metadata(&hours)["count"], POINTS.div_ceil(3_600));
}
