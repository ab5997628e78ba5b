//! Query parameters that are unknown, repeated or invalid.

use reqwest::Method;
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{START, assert_problem, assert_rows, get_timeseries, score, store};
use crate::on_both_servers;

on_both_servers![
    an_invalid_parameter_is_named,
    an_unknown_parameter_is_rejected,
    endpoints_without_parameters_reject_all_parameters,
    a_repeated_parameter_is_rejected,
    an_empty_or_reversed_range_is_rejected,
    all_faults_are_reported_together,
    invalid_percent_encoding_is_rejected,
    a_series_that_is_not_a_text_is_rejected,
    every_spelling_of_a_valid_parameter_is_accepted,
    a_year_by_the_minute_is_accepted_for_few_points,
    a_range_of_all_times_succeeds_or_is_rejected,
];

#[track_caller]
fn assert_names(response: &Response, parameter: &str) {
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
    assert_names(&app.get("/api/timeseries/").await, "user_id");
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
    let mut shrugged = Vec::new();
    for (method, path, body) in calls {
        let response = app.request(method.clone(), path, body, &[]).await;
        if !response.text.contains("invalid_parameters") {
            shrugged.push(format!(
                "{method} {path}: {} {:.200}",
                response.status, response.text
            ));
        }
    }
    let stored = app.get("/api/metrictypes/").await.metadata().count;
    assert!(
        shrugged.is_empty(),
        "{shrugged:#?}; metric types, of 3, afterwards: {stored}"
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

async fn an_empty_or_reversed_range_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let ranges = [
        ("2025-01-02T00:00:00Z", "2025-01-02T00:00:00Z"),
        ("2025-01-02", "2025-01-01"),
        ("2025-01-02", "2025-01-02"),
        ("2025-01-01T00:00:00Z", "2025-01-01T01:00:00+02:00"),
    ];
    for (start, end) in ranges {
        let response =
            get_timeseries(&app, user, &[("start_time", start), ("end_time", end)]).await;
        assert_problem(&response, 422, "invalid_parameters");
        let named = response
            .faults()
            .iter()
            .any(|f| f.starts_with("start_time ") || f.starts_with("end_time "));
        assert!(named, "{}", response.text);
    }
    // The default end is now.
    assert_problem(
        &get_timeseries(&app, user, &[("start_time", "2200-01-01")]).await,
        422,
        "invalid_parameters",
    );
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

async fn invalid_percent_encoding_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    // A plus is a space; bytes that are not UTF-8 are rejected.
    assert_names(
        &app.timeseries(Uuid::new_v4(), "start_time=2025-01-01T00:00:00+01:00")
            .await,
        "start_time",
    );
    let bad = ["tz=%C3%28", "%FF=1", "interval=%FF", "tz=%00"];
    for query in bad {
        let response = app.timeseries(Uuid::new_v4(), query).await;
        assert!(
            matches!(response.status.as_u16(), 400 | 422),
            "{query}: {} {}",
            response.status,
            response.text
        );
        assert_problem(&response, response.status.as_u16(), &response.code());
    }
}

async fn a_series_that_is_not_a_text_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for query in ["series=%FF", "series=session.*%C3"] {
        let response = app.timeseries(Uuid::new_v4(), query).await;
        assert!(
            matches!(response.status.as_u16(), 400 | 422),
            "{query}: {} {}",
            response.status,
            response.text
        );
        assert_problem(&response, response.status.as_u16(), &response.code());
    }
    // U+0000 is text: an expression that matches no name, or a rejection, but never a failure.
    assert!(
        !app.timeseries(Uuid::new_v4(), "series=%00")
            .await
            .status
            .is_server_error()
    );
}

async fn every_spelling_of_a_valid_parameter_is_accepted(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 1.0)]).await;
    let good: [(&str, &[&str]); 5] = [
        (
            "interval",
            &[
                "min", "minute", "hour", "day", "week", "month", "quarter", "year", "30s", "15m",
                "6h", "1d", "2w", "3mo", "1y", "all",
            ],
        ),
        (
            "tz",
            &["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"],
        ),
        (
            "week_start",
            &[
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "saturday",
                "sunday",
            ],
        ),
        (
            "agg_func",
            &[
                "avg",
                "min",
                "max",
                "count",
                "sum",
                "first",
                "last",
                "stddev",
                "avg,min,max,count,sum,first,last,stddev",
            ],
        ),
        ("series_mode", &["exact", "glob", "regex"]),
    ];
    for (parameter, values) in good {
        for value in values {
            let range = [
                ("start_time", "2024-12-30"),
                ("end_time", "2025-01-06T00:00:00+00:00"),
                ("series", "session.gut_health_score"),
            ];
            let response = get_timeseries(
                &app,
                user,
                &[range.as_slice(), &[(parameter, value)]].concat(),
            )
            .await;
            assert_eq!(
                response.status.as_u16(),
                200,
                "{parameter}={value}: {}",
                response.text
            );
            assert_eq!(
                response.metadata().count,
                1,
                "{parameter}={value}: {}",
                response.text
            );
        }
    }
}

async fn a_year_by_the_minute_is_accepted_for_few_points(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(
        &app,
        user,
        START,
        &[score(START, 1.0), score("2025-01-31T23:59:59Z", 2.0)],
    )
    .await;
    let year = [
        ("start_time", "2024-06-01"),
        ("end_time", "2025-06-01"),
        ("interval", "min"),
        ("agg_func", "sum"),
    ];
    let series = crate::common::SCORE;
    let expected = [
        (START, series, serde_json::json!(1)),
        ("2025-01-31T23:59:00Z", series, serde_json::json!(2)),
    ];
    assert_rows(&get_timeseries(&app, user, &year).await, &expected);
}

async fn a_range_of_all_times_succeeds_or_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 1.0)]).await;
    for (start, end) in [
        ("0001-01-01", "9999-12-31"),
        ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("9999-12-31", "9999-12-31T23:59:59Z"),
    ] {
        for interval in [
            "30s",
            "min",
            "week",
            "year",
            "9999y",
            "4294967295d",
            "9223372036854775807s",
            "all",
        ] {
            for tz in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
                let request_parameters = [
                    ("start_time", start),
                    ("end_time", end),
                    ("interval", interval),
                    ("tz", tz),
                ];
                let response = get_timeseries(&app, user, &request_parameters).await;
                match response.status.as_u16() {
                    200 => assert_eq!(
                        response.json()["results"].as_array().map(Vec::len),
                        Some(usize::from(start < "9")),
                        "{request_parameters:?}"
                    ),
                    _ => assert_problem(&response, 422, "invalid_parameters"),
                }
            }
        }
    }
}
