//! The documented behaviour of the original system, as its README describes it.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{
    COLOR, COUNT, NOTE, SCORE, START, add_text_series, assert_problem, assert_rows, from_now,
    get_timeseries, plain, point, points_of, rfc3339, score, seconds_from_now, series_of, session,
    sessions_of, store,
};
use crate::on_both_servers;

on_both_servers![
    the_example_body_is_accepted,
    a_trailing_slash_is_optional,
    a_query_defaults_to_weekly_averages_of_the_last_seven_days,
    min_week_and_month_are_supported_intervals,
    series_takes_names_separated_by_commas,
    series_takes_regular_expressions,
    a_star_matches_anything_in_the_whole_name,
    avg_min_max_and_count_are_supported,
    a_number_is_returned_as_a_number_and_a_colour_as_an_object,
    the_metric_types_are_listed_with_their_schemas,
    the_session_id_of_the_client_is_kept,
    session_id_narrows_a_query,
    start_time_alone_selects_until_now,
    end_time_alone_selects_the_seven_days_before,
    a_session_is_stored_atomically,
    day_is_a_supported_interval,
    a_bad_interval_or_user_is_a_client_error,
    text_series_do_not_fail_a_query,
    values_are_not_rounded,
    one_user_s_data_never_shows_for_another,
];

const JANUARY: [(&str, &str); 2] = [
    ("start_time", "2025-01-01T00:00:00Z"),
    ("end_time", "2025-02-01T00:00:00Z"),
];

fn january<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    JANUARY.iter().chain(more).copied().collect()
}

fn color(time: &str, rgb: [f64; 3]) -> serde_json::Value {
    point(COLOR, time, &json!({"r": rgb[0], "g": rgb[1], "b": rgb[2]}))
}

async fn the_example_body_is_accepted(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    add_text_series(&app).await;
    let body = r#"{
        "user_id": "5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c01",
        "session_id": "0f4e3b52-1d7c-4f6e-8c57-6b1b4f0c9d02",
        "start_ts": "2025-01-01T00:00:00Z",
        "data": [
            {"series": "session.example.series", "time": "2025-01-01T00:01:00Z", "value": {"value": "example value"}},
            {"series": "session.urine.color", "time": "2025-01-01T00:01:00Z", "value": {"r": 255, "g": 255, "b": 255}}
        ]
    }"#;
    let receipt = app
        .post_text("/api/sessions/", body)
        .await
        .expect(201)
        .json();
    assert_eq!(receipt["message"], "Data ingested successfully");
    assert_eq!(receipt["user_id"], "5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c01");
    assert_eq!(
        receipt["session_id"],
        "0f4e3b52-1d7c-4f6e-8c57-6b1b4f0c9d02"
    );
    assert_eq!(receipt["points"], 2);
    assert!(receipt["version"].is_u64(), "{receipt}");
}

async fn a_trailing_slash_is_optional(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let _ = app
        .post(
            "/api/sessions",
            &session(user, id, START, &[score(START, 1.0)]),
        )
        .await
        .expect(201);
    let query = format!("?user_id={user}&start_time=2025-01-01&end_time=2025-01-02");
    let paths = [
        ("/api/sessions", format!("?user_id={user}")),
        (&*format!("/api/sessions/{id}"), String::new()),
        ("/api/timeseries", query),
        ("/api/metrictypes", String::new()),
        ("/api/metrictypes/session.urine.color", String::new()),
        ("/schema", String::new()),
        ("/redoc", String::new()),
        ("/health/live", String::new()),
        ("/health/ready", String::new()),
    ]
    .map(|(path, query)| [format!("{path}{query}"), format!("{path}/{query}")]);
    for [without, with] in paths {
        let responses = (
            app.get(&without).await.expect(200).text,
            app.get(&with).await.expect(200).text,
        );
        assert_eq!(responses.0, responses.1, "{with}");
    }
    let _ = app.delete(&format!("/api/sessions/{id}")).await.expect(204);
}

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
    assert_eq!(plain(&body["results"][0]["value"]), json!(15.0), "{body}");
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

/// Stores one point in each of these series and checks the series that each selection returns.
async fn selected(backend: Backend, selections: &[(&str, &[&str])]) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let value = json!({"value": 1});
    for other in [
        "other.session.urine.color",
        "session.urine.color.extra",
        "sessionXurine.color",
    ] {
        app.metric_type(
            other,
            &json!({"type": "object", "properties": {"value": {"type": "number"}}}),
        )
        .await;
        let _ = store(&app, user, START, &[point(other, START, &value)]).await;
    }
    let mine = [
        score(START, 1.0),
        point(COUNT, START, &value),
        color(START, [1.0, 2.0, 3.0]),
    ];
    let _ = store(&app, user, START, &mine).await;
    for (selection, expected) in selections {
        let response = get_timeseries(&app, user, &january(&[("series", selection)]))
            .await
            .expect(200);
        assert_eq!(series_of(&response), *expected, "series={selection}");
    }
}

async fn series_takes_names_separated_by_commas(backend: Backend) {
    selected(
        backend,
        &[
            (SCORE, &[SCORE]),
            (
                "session.urine.color,session.gut_health_score",
                &[SCORE, COLOR],
            ),
        ],
    )
    .await;
}

async fn series_takes_regular_expressions(backend: Backend) {
    let urine: &[&str] = &[COLOR, "session.urine.color.extra", COUNT];
    selected(
        backend,
        &[
            (r"^session\.urine\..*", urine),
            (r"night|gut", &[SCORE, COUNT]),
            (r"u{1,2}rine\.night", &[COUNT]), // the comma belongs to the expression
            (r"^session.urine\.color$", &[COLOR, "sessionXurine.color"]),
            (
                r"^(session\.urine\.night_count|session\.gut_health_score)$",
                &[SCORE, COUNT],
            ),
        ],
    )
    .await;
}

async fn a_star_matches_anything_in_the_whole_name(backend: Backend) {
    let all = [
        "other.session.urine.color",
        SCORE,
        COLOR,
        "session.urine.color.extra",
        COUNT,
        "sessionXurine.color",
    ];
    selected(
        backend,
        &[
            (
                "session.urine.*",
                &[COLOR, "session.urine.color.extra", COUNT],
            ),
            ("*.urine.color", &["other.session.urine.color", COLOR]),
            (
                "*urine.color",
                &["other.session.urine.color", COLOR, "sessionXurine.color"],
            ),
            ("session.*.night_count,session.gut*", &[SCORE, COUNT]),
            ("*", &all),
        ],
    )
    .await;
}

async fn avg_min_max_and_count_are_supported(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = [4.0, 1.0, 10.0]
        .iter()
        .map(|v| score("2025-01-01T05:00:00Z", *v))
        .collect();
    let _ = store(&app, user, START, &data).await;
    for (function, expected) in [("avg", 5.0), ("min", 1.0), ("max", 10.0), ("count", 3.0)] {
        let response = get_timeseries(
            &app,
            user,
            &january(&[("agg_func", function), ("interval", "month")]),
        )
        .await;
        assert_rows(
            &response,
            &[("2025-01-01T00:00:00Z", SCORE, json!(expected))],
        );
        assert_eq!(response.json()["metadata"]["agg_func"], function);
    }
}

async fn a_number_is_returned_as_a_number_and_a_colour_as_an_object(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data = [
        score(START, 70.0),
        score(START, 71.0),
        color(START, [0.0, 128.0, 255.0]),
        color(START, [2.0, 64.0, 255.0]),
    ];
    let _ = store(&app, user, START, &data).await;
    let response = get_timeseries(&app, user, &january(&[("interval", "month")])).await;
    let rgb = json!({"r": 1, "g": 96, "b": 255});
    assert_rows(
        &response,
        &[
            ("2025-01-01T00:00:00Z", SCORE, json!(70.5)),
            ("2025-01-01T00:00:00Z", COLOR, rgb),
        ],
    );
}

async fn the_metric_types_are_listed_with_their_schemas(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let body = app.get("/api/metrictypes/").await.expect(200).json();
    let names: Vec<_> = body["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|m| m["series"].clone())
        .collect();
    assert_eq!(names, [SCORE, COLOR, COUNT]);
    assert_eq!(body["metadata"]["count"], 3);
    assert_eq!(
        body["results"][1]["schema"]["properties"]["g"],
        json!({"type": "number"})
    );
}

async fn the_session_id_of_the_client_is_kept(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    assert_eq!(sessions_of(&app, user).await, [id.to_string()]);
    assert_eq!(
        app.get(&format!("/api/sessions/{id}/"))
            .await
            .expect(200)
            .json()["user_id"],
        user.to_string()
    );
}

async fn session_id_narrows_a_query(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let one = store(&app, user, START, &[score(START, 1.0)])
        .await
        .to_string();
    let _ = store(&app, user, START, &[score(START, 5.0)]).await;
    let narrowed = january(&[("session_id", &one), ("interval", "month")]);
    assert_rows(
        &get_timeseries(&app, user, &narrowed).await,
        &[(START, SCORE, json!(1))],
    );
    let strange = Uuid::new_v4().to_string();
    assert_rows(
        &get_timeseries(&app, user, &january(&[("session_id", &strange)])).await,
        &[],
    );
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
        plain(&response.rows()[0].value),
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

async fn a_session_is_stored_atomically(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let data = [
        score(START, 1.0),
        score(START, 2.0),
        point(COLOR, START, &json!({"r": "red", "g": 0, "b": 0})),
    ];
    let response = app
        .post("/api/sessions/", &session(user, id, START, &data))
        .await;
    assert_problem(&response, 422, "invalid_session");
    assert_problem(
        &app.get(&format!("/api/sessions/{id}/")).await,
        404,
        "session_not_found",
    );
    assert_eq!(points_of(&app, user).await, 0, "no points may be stored");
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

async fn text_series_do_not_fail_a_query(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    add_text_series(&app).await;
    let user = Uuid::new_v4();
    let note = |time: &str, text: &str| point(NOTE, time, &json!({"value": text}));
    let data = [
        note("2025-01-01T08:00:00Z", "well"),
        note("2025-01-01T07:00:00Z", "tired"),
        score(START, 3.0),
    ];
    let _ = store(&app, user, START, &data).await;
    let all = get_timeseries(&app, user, &january(&[("interval", "month")])).await;
    assert_rows(&all, &[(START, SCORE, json!(3))]);
    assert_eq!(all.json()["metadata"]["skipped"], json!([NOTE]));
    for (function, expected) in [
        ("count", json!(2)),
        ("first", json!("tired")),
        ("last", json!("well")),
    ] {
        let notes = get_timeseries(
            &app,
            user,
            &january(&[
                ("interval", "month"),
                ("series", NOTE),
                ("agg_func", function),
            ]),
        )
        .await;
        assert_rows(&notes, &[(START, NOTE, expected)]);
    }
}

async fn values_are_not_rounded(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[0.0, 0.0, 1.0].map(|v| score(START, v))).await;
    let _ = store(
        &app,
        user,
        START,
        &[score("2025-01-20T00:00:00Z", 36.123_456_789_012_34)],
    )
    .await;
    let response = get_timeseries(&app, user, &january(&[("interval", "day")]))
        .await
        .expect(200);
    assert!(
        response.text.contains("0.3333333333333333"),
        "{}",
        response.text
    );
    assert!(
        response.text.contains("36.12345678901234"),
        "{}",
        response.text
    );
}

async fn one_user_s_data_never_shows_for_another(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let _ = store(&app, one, START, &[score(START, 1.0)]).await;
    assert_rows(&get_timeseries(&app, other, &january(&[])).await, &[]);
    assert!(sessions_of(&app, other).await.is_empty());
}
