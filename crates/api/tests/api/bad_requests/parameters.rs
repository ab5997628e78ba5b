//! Query parameters that are unknown, repeated or invalid.

use reqwest::Method;
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, get_timeseries, store};
use crate::on_both_servers;

on_both_servers![
    an_invalid_expression_is_an_error_of_series,
    an_invalid_parameter_is_named,
    an_unknown_parameter_is_rejected,
    endpoints_without_parameters_reject_all_parameters,
    a_repeated_parameter_is_rejected,
    all_faults_are_reported_together,
];

#[track_caller]
pub(super) fn assert_names(response: &Response, parameter: &str) {
    assert_problem(response, 422, "invalid_parameters");
    let named = response
        .faults()
        .iter()
        .all(|f| f.starts_with(&format!("{parameter} ")));
    assert!(
        named && !response.faults().is_empty(),
        "the problem must name {parameter}: {}",
        response.text
    );
    let error = &response.json()["errors"][0];
    assert!(
        ["code", "message"]
            .iter()
            .all(|m| error[m].as_str().is_some_and(|t| !t.is_empty())),
        "{error}"
    );
}

async fn an_invalid_parameter_is_named(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let wrong: [(&str, &[&str]); 9] = [
        ("session_id", &["", "mine", "5a8c9f42"]),
        (
            "interval",
            &[
                "",
                "fortnight",
                "0d",
                "-1d",
                "1.5h",
                "7",
                "weekly",
                "1w2d",
                "99999999999999999999d",
                "week,day",
            ],
        ),
        (
            "start_time",
            &[
                "",
                "yesterday",
                "2025-02-30",
                "2024-06-01T00:00:00",
                "1735689600",
                "2024-06-01T00:00:60Z",
                "2024-13-01",
                "2024-06-01T00:00:00.0000001Z",
            ],
        ),
        (
            "end_time",
            &[
                "",
                "nowish",
                "1735689600",
                "2025-02-30",
                "2025-06-01T00:00:00",
                "2025-06-01T24:00:00Z",
            ],
        ),
        (
            "tz",
            &[
                "",
                "Mars/Olympus",
                "Europe/berlin/",
                "../../etc/passwd",
                "UTC;DROP",
            ],
        ),
        ("week_start", &["", "someday", "8", "mon,tue"]),
        (
            "agg_func",
            &[
                "",
                "average",
                "avg,",
                "avg,,max",
                "avg,mode2",
                "AVG(value)",
                "p101",
                "p-1",
            ],
        ),
        ("series_mode", &["", "fuzzy", "like"]),
        (
            "user_id",
            &["", "me", "5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c0g"],
        ),
    ];
    for (parameter, values) in wrong {
        for value in values {
            let value = crate::common::encode(value);
            let user = if parameter == "user_id" {
                String::new()
            } else {
                format!("user_id={user}&")
            };
            let response = app
                .get(&format!("/api/timeseries/?{user}{parameter}={value}"))
                .await;
            assert_eq!(
                response.status.as_u16(),
                422,
                "{parameter}={value}: {}",
                response.text
            );
            assert_names(&response, parameter);
        }
    }
    assert_names(&app.get("/api/timeseries/").await, "user_id");
}

async fn an_invalid_expression_is_an_error_of_series(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    for regex in [
        "(",
        "[a-",
        "session.(",
        "a{2,1}",
        "*(",
        r"(?=x)",
        r"(a)\1",
        &"(a{1000}){1000}".repeat(3),
    ] {
        for mode in [None, Some(("series_mode", "regex"))] {
            let parameters: Vec<_> = [("series", regex)].into_iter().chain(mode).collect();
            let response = get_timeseries(&app, user, &parameters).await;
            assert_eq!(response.status.as_u16(), 422, "{regex}: {}", response.text);
            assert_names(&response, "series");
        }
    }
}

async fn an_unknown_parameter_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for (parameter, query) in [
        ("start", "start=2025-01-01"),
        ("Interval", "Interval=day"),
        ("format%5B", "format%255B=csv"),
        ("x", "x"),
    ] {
        let response = app.timeseries(Uuid::new_v4(), query).await;
        assert_names(&response, parameter);
    }
    assert_names(&app.get("/api/metrictypes/?series=x").await, "series");
    for path in [
        "/api/sessions/?conflict=replace",
        "/api/sessions/?user_id=5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c01",
    ] {
        assert_problem(&app.post_text(path, "{}").await, 422, "invalid_parameters");
    }
}

async fn endpoints_without_parameters_reject_all_parameters(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let session = format!(
        "/api/sessions/{}/?dry_run=true",
        store(&app, user, START, &[]).await
    );
    let put = serde_json::json!({"user_id": user, "data": []})
        .to_string()
        .into_bytes();
    let body = serde_json::json!({"series": "x", "schema": {}})
        .to_string()
        .into_bytes();
    let metric_type = "/api/metrictypes/session.urine.color/?dry_run=true";
    let calls = [
        (Method::GET, &*session, None),
        (Method::PUT, &*session, Some(put)),
        (Method::DELETE, &*session, None),
        (Method::GET, metric_type, None),
        (
            Method::POST,
            "/api/metrictypes/?dry_run=true",
            Some(body.clone()),
        ),
        (Method::PUT, metric_type, Some(body)),
        (Method::DELETE, metric_type, None),
        (Method::GET, "/schema/?x=1", None),
    ];
    let mut accepted = Vec::new();
    for (method, path, body) in calls {
        let response = app.request(method.clone(), path, body, &[]).await;
        if !response.text.contains("invalid_parameters") {
            accepted.push(format!(
                "{method} {path}: {} {:.200}",
                response.status, response.text
            ));
        }
    }
    let stored = app.get("/api/metrictypes/").await.metadata().count;
    assert!(
        accepted.is_empty(),
        "{accepted:#?}; metric types, of 3, afterwards: {stored}"
    );
    assert_eq!(stored, 3, "nothing was created or deleted");
}

async fn a_repeated_parameter_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let twice = [
        "interval=day&interval=week",
        "interval=day&interval=day",
        "agg_func=min&agg_func=max",
        "tz=UTC&tz=UTC",
        "start_time=2025-01-01&start_time=2025-01-02",
    ];
    for query in twice {
        assert_names(
            &app.timeseries(user, query).await,
            query.split('=').next().expect("a name"),
        );
    }
    // Users and series may be repeated; the same user counts once.
    let _ = app
        .timeseries(user, &format!("user_id={user}"))
        .await
        .expect(200);
    let _ = app
        .timeseries(
            user,
            "series=session.urine.color&series=session.gut_health_score",
        )
        .await
        .expect(200);
}

async fn all_faults_are_reported_together(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let query = "interval=x&agg_func=x&tz=x&week_start=x&session_id=x&start_time=x&end_time=x&series_mode=x&x=x";
    let response = app
        .get(&format!("/api/timeseries/?user_id=x&{query}"))
        .await;
    assert_problem(&response, 422, "invalid_parameters");
    let mut named: Vec<_> = response
        .faults()
        .iter()
        .map(|f| f.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    named.sort();
    let all = [
        "agg_func",
        "end_time",
        "interval",
        "series_mode",
        "session_id",
        "start_time",
        "tz",
        "user_id",
        "week_start",
        "x",
    ];
    assert_eq!(named, all, "{}", response.text);
}
