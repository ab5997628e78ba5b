//! Queries of series that do not exist or cannot be aggregated, and of too many rows.

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{
    NOTE, SCORE, START, add_text_series, assert_problem, assert_rows, get_timeseries, point, score,
    store,
};
use crate::on_both_servers;

on_both_servers![
    an_unknown_series_is_rejected_with_similar_names,
    suggestions_ignore_letter_case,
    a_pattern_without_matches_returns_nothing,
    a_numeric_function_of_a_named_text_series_is_rejected,
    a_numeric_function_skips_text_series_that_match_a_pattern,
    a_result_above_the_limit_is_rejected_with_its_count,
];

const RANGE: [(&str, &str); 3] = [
    ("start_time", "2025-01-01"),
    ("end_time", "2025-02-01"),
    ("interval", "month"),
];

async fn select(app: &TestApp, user: Uuid, more: &[(&str, &str)]) -> Response {
    get_timeseries(app, user, &[RANGE.as_slice(), more].concat()).await
}

async fn an_unknown_series_is_rejected_with_similar_names(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let wrong = [
        ("session.urine.colour", "session.urine.color"),
        (
            "session.gut_health_score,session.urine.nigth_count",
            "session.urine.night_count",
        ),
    ];
    for (name, near) in wrong {
        for mode in [None, Some(("series_mode", "exact"))] {
            let parameters: Vec<_> = [("series", name)].into_iter().chain(mode).collect();
            let response = select(&app, user, &parameters).await;
            assert_problem(&response, 422, "invalid_parameters");
            assert!(
                response.faults()[0].starts_with("series "),
                "{}",
                response.text
            );
            let message = response.problem().errors[0].message.clone();
            assert!(message.contains(near), "series={name}: {message}");
        }
    }
    // In a plain name, a star is a character that no name contains.
    let starred = select(
        &app,
        user,
        &[("series", "session.urine.*"), ("series_mode", "exact")],
    )
    .await;
    assert_problem(&starred, 422, "invalid_parameters");
}

async fn suggestions_ignore_letter_case(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for name in ["Session.Urine.Color", "SESSION.URINE.COLOR"] {
        let response = select(&app, Uuid::new_v4(), &[("series", name)]).await;
        assert_problem(&response, 422, "invalid_parameters");
        let message = response.problem().errors[0].message.clone();
        assert!(
            message.contains("session.urine.color"),
            "series={name}: {message}"
        );
    }
}

async fn a_pattern_without_matches_returns_nothing(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 1.0)]).await;
    for pattern in ["sleep.*", "*.sleep", "^sleep$", "urine$"] {
        let response = select(&app, user, &[("series", pattern)]).await;
        assert_rows(&response, &[]);
    }
    assert_rows(
        &select(&app, user, &[("series", "sleep"), ("series_mode", "regex")]).await,
        &[],
    );
    assert_rows(
        &select(&app, user, &[("series", "sleep"), ("series_mode", "glob")]).await,
        &[],
    );
    // A pattern that is part of a name matches it: patterns are searched in the name.
    assert_rows(
        &select(&app, user, &[("series", "gut"), ("series_mode", "regex")]).await,
        &[(START, SCORE, json!(1))],
    );
}

async fn with_texts(backend: Backend) -> (TestApp, Uuid) {
    let app = TestApp::seeded(backend).await;
    add_text_series(&app).await;
    app.metric_type("session.example.flag", &json!({"type": "boolean"}))
        .await;
    let user = Uuid::new_v4();
    let data = [
        point(NOTE, START, &json!({"value": "b"})),
        point(NOTE, "2025-01-01T00:00:01Z", &json!({"value": "a"})),
        point("session.example.flag", START, &json!(true)),
        score(START, 4.0),
    ];
    let _ = store(&app, user, START, &data).await;
    (app, user)
}

async fn a_numeric_function_of_a_named_text_series_is_rejected(backend: Backend) {
    let (app, user) = with_texts(backend).await;
    for series in [
        NOTE,
        "session.example.flag",
        "session.gut_health_score,session.example.series",
    ] {
        for function in ["avg", "min", "max", "sum", "stddev", "count,avg"] {
            let response = select(&app, user, &[("series", series), ("agg_func", function)]).await;
            assert_eq!(
                response.status.as_u16(),
                422,
                "{function} of {series}: {}",
                response.text
            );
            assert_problem(&response, 422, "invalid_parameters");
            let fault = &response.faults()[0];
            assert!(
                fault.starts_with("series ") || fault.starts_with("agg_func "),
                "{}",
                response.text
            );
        }
    }
    for (function, expected) in [
        ("count", json!(2)),
        ("first", json!("b")),
        ("last", json!("a")),
    ] {
        let response = select(&app, user, &[("series", NOTE), ("agg_func", function)]).await;
        assert_rows(&response, &[(START, NOTE, expected)]);
    }
    let flags = select(
        &app,
        user,
        &[("series", "session.example.flag"), ("agg_func", "last")],
    )
    .await;
    assert_rows(
        &flags,
        &[(START, "session.example.flag", Value::Bool(true))],
    );
    let both = select(&app, user, &[("series", NOTE), ("agg_func", "first,count")]).await;
    assert_rows(&both, &[(START, NOTE, json!({"first": "b", "count": 2}))]);
}

async fn a_numeric_function_skips_text_series_that_match_a_pattern(backend: Backend) {
    let (app, user) = with_texts(backend).await;
    let texts = json!(["session.example.flag", NOTE]);
    for pattern in [None, Some("session.*"), Some("^session"), Some("*")] {
        let parameters: Vec<_> = pattern.map(|p| ("series", p)).into_iter().collect();
        let response = select(&app, user, &parameters).await;
        assert_rows(&response, &[(START, SCORE, json!(4))]);
        let mut skipped = response.json()["metadata"]["skipped"].clone();
        skipped
            .as_array_mut()
            .expect("a list")
            .sort_by_key(ToString::to_string);
        assert_eq!(skipped, texts, "{pattern:?}");
    }
    // A series that one numeric function skips is skipped for all functions.
    let several = select(
        &app,
        user,
        &[("series", "session.*"), ("agg_func", "count,avg")],
    )
    .await;
    assert_rows(&several, &[(START, SCORE, json!({"count": 1, "avg": 4}))]);
    assert_eq!(
        several.json()["metadata"]["skipped"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let counts = select(
        &app,
        user,
        &[("series", "session.*"), ("agg_func", "count")],
    )
    .await;
    let rows = [
        (START, "session.example.flag", json!(1)),
        (START, NOTE, json!(2)),
        (START, SCORE, json!(1)),
    ];
    assert_rows(&counts, &rows);
    assert_eq!(counts.json()["metadata"]["skipped"], json!([]));
}

async fn a_result_above_the_limit_is_rejected_with_its_count(backend: Backend) {
    let app = TestApp::with(backend).max_rows(6).start().await;
    app.seed().await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (1..=7)
        .map(|day| score(&format!("2025-01-0{day}T12:00:00Z"), 1.0))
        .collect();
    let _ = store(&app, user, START, &data).await;
    for interval in ["day", "hour"] {
        let response = select_by(&app, user, "2025-01-08", interval).await;
        assert_problem(&response, 422, "too_many_rows");
        let detail = response.problem().detail;
        assert!(
            detail.contains('7') && detail.contains('6'),
            "the count and the limit: {detail}"
        );
        let rows = select_by(&app, user, "2025-01-07", interval)
            .await
            .expect(200);
        assert_eq!(
            rows.metadata().count,
            6,
            "a count equal to the limit is accepted"
        );
    }
    let _ = select_by(&app, user, "2025-01-08", "week")
        .await
        .expect(200);
}

async fn select_by(app: &TestApp, user: Uuid, end: &str, interval: &str) -> Response {
    get_timeseries(
        app,
        user,
        &[
            ("start_time", "2025-01-01"),
            ("end_time", end),
            ("interval", interval),
        ],
    )
    .await
}
