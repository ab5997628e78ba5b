//! Query parameters that are unknown, repeated or wrong.

use reqwest::Method;
use time_series_testkit::{Answer, Backend, TestApp};
use uuid::Uuid;

use crate::common::{START, ask, assert_problem, assert_rows, score, store};
use crate::on_both_servers;

on_both_servers![
    a_wrong_parameter_is_named,
    an_unknown_parameter_is_refused,
    calls_without_parameters_refuse_any,
    a_parameter_is_given_once,
    an_empty_or_reversed_range_is_refused,
    all_faults_are_named_at_once,
    what_is_not_url_encoded_is_refused,
    a_series_that_is_no_text_is_refused,
    every_spelling_of_a_good_parameter_is_accepted,
    a_year_by_the_minute_is_fine_for_few_points,
    a_range_of_all_times_is_answered_or_refused,
];

#[track_caller]
fn assert_names(answer: &Answer, parameter: &str) {
    assert_problem(answer, 422, "invalid_parameters");
    let named = answer
        .faults()
        .iter()
        .all(|f| f.starts_with(&format!("{parameter} ")));
    assert!(
        named && !answer.faults().is_empty(),
        "{parameter} is to be named: {}",
        answer.text
    );
    let error = &answer.json()["errors"][0];
    assert!(
        ["code", "message"]
            .iter()
            .all(|m| error[m].as_str().is_some_and(|t| !t.is_empty())),
        "{error}"
    );
}

async fn a_wrong_parameter_is_named(backend: Backend) {
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
            let answer = app
                .get(&format!("/api/timeseries/?{user}{parameter}={value}"))
                .await;
            assert_eq!(
                answer.status.as_u16(),
                422,
                "{parameter}={value}: {}",
                answer.text
            );
            assert_names(&answer, parameter);
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
            let answer = ask(&app, user, &parameters).await;
            assert_eq!(answer.status.as_u16(), 422, "{regex}: {}", answer.text);
            assert_names(&answer, "series");
        }
    }
    assert_names(&app.get("/api/timeseries/").await, "user_id");
}

async fn an_unknown_parameter_is_refused(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for (parameter, query) in [
        ("start", "start=2025-01-01"),
        ("Interval", "Interval=day"),
        ("format%5B", "format%255B=csv"),
        ("x", "x"),
    ] {
        let answer = app.timeseries(Uuid::new_v4(), query).await;
        assert_names(&answer, parameter);
    }
    assert_names(&app.get("/api/metrictypes/?series=x").await, "series");
    for path in [
        "/api/sessions/?conflict=replace",
        "/api/sessions/?user_id=5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c01",
    ] {
        assert_problem(&app.post_text(path, "{}").await, 422, "invalid_parameters");
    }
}

async fn calls_without_parameters_refuse_any(backend: Backend) {
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
        let answer = app.request(method.clone(), path, body, &[]).await;
        if !answer.text.contains("invalid_parameters") {
            shrugged.push(format!(
                "{method} {path}: {} {:.200}",
                answer.status, answer.text
            ));
        }
    }
    let stored = app.get("/api/metrictypes/").await.json()["metadata"]["count"].clone();
    assert!(
        shrugged.is_empty(),
        "{shrugged:#?}; metric types, of 3, afterwards: {stored}"
    );
    assert_eq!(stored, 3, "nothing came or went");
}

async fn a_parameter_is_given_once(backend: Backend) {
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
    // Users and series may come several times; the same user counts once.
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

async fn an_empty_or_reversed_range_is_refused(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let ranges = [
        ("2025-01-02T00:00:00Z", "2025-01-02T00:00:00Z"),
        ("2025-01-02", "2025-01-01"),
        ("2025-01-02", "2025-01-02"),
        ("2025-01-01T00:00:00Z", "2025-01-01T01:00:00+02:00"),
    ];
    for (start, end) in ranges {
        let answer = ask(&app, user, &[("start_time", start), ("end_time", end)]).await;
        assert_problem(&answer, 422, "invalid_parameters");
        let named = answer
            .faults()
            .iter()
            .any(|f| f.starts_with("start_time ") || f.starts_with("end_time "));
        assert!(named, "{}", answer.text);
    }
    // The end is now where none is given.
    assert_problem(
        &ask(&app, user, &[("start_time", "2200-01-01")]).await,
        422,
        "invalid_parameters",
    );
}

async fn all_faults_are_named_at_once(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let query = "interval=x&agg_func=x&tz=x&week_start=x&session_id=x&start_time=x&end_time=x&series_mode=x&x=x";
    let answer = app
        .get(&format!("/api/timeseries/?user_id=x&{query}"))
        .await;
    assert_problem(&answer, 422, "invalid_parameters");
    let mut named: Vec<_> = answer
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
    assert_eq!(named, all, "{}", answer.text);
}

async fn what_is_not_url_encoded_is_refused(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    // A plus is a space; a byte that is no text is none.
    assert_names(
        &app.timeseries(Uuid::new_v4(), "start_time=2025-01-01T00:00:00+01:00")
            .await,
        "start_time",
    );
    let bad = ["tz=%C3%28", "%FF=1", "interval=%FF", "tz=%00"];
    for query in bad {
        let answer = app.timeseries(Uuid::new_v4(), query).await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 422),
            "{query}: {} {}",
            answer.status,
            answer.text
        );
        assert_problem(&answer, answer.status.as_u16(), &answer.code());
    }
}

async fn a_series_that_is_no_text_is_refused(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for query in ["series=%FF", "series=session.*%C3"] {
        let answer = app.timeseries(Uuid::new_v4(), query).await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 422),
            "{query}: {} {}",
            answer.status,
            answer.text
        );
        assert_problem(&answer, answer.status.as_u16(), &answer.code());
    }
    // U+0000 is text: an expression that no name matches, or a refusal, but never a failure.
    assert!(
        !app.timeseries(Uuid::new_v4(), "series=%00")
            .await
            .status
            .is_server_error()
    );
}

async fn every_spelling_of_a_good_parameter_is_accepted(backend: Backend) {
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
            let answer = ask(
                &app,
                user,
                &[range.as_slice(), &[(parameter, value)]].concat(),
            )
            .await;
            assert_eq!(
                answer.status.as_u16(),
                200,
                "{parameter}={value}: {}",
                answer.text
            );
            assert_eq!(
                answer.json()["metadata"]["count"],
                1,
                "{parameter}={value}: {}",
                answer.text
            );
        }
    }
}

async fn a_year_by_the_minute_is_fine_for_few_points(backend: Backend) {
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
    assert_rows(&ask(&app, user, &year).await, &expected);
}

async fn a_range_of_all_times_is_answered_or_refused(backend: Backend) {
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
                let asked = [
                    ("start_time", start),
                    ("end_time", end),
                    ("interval", interval),
                    ("tz", tz),
                ];
                let answer = ask(&app, user, &asked).await;
                match answer.status.as_u16() {
                    200 => assert_eq!(
                        answer.json()["results"].as_array().map(Vec::len),
                        Some(usize::from(start < "9")),
                        "{asked:?}"
                    ),
                    _ => assert_problem(&answer, 422, "invalid_parameters"),
                }
            }
        }
    }
}
