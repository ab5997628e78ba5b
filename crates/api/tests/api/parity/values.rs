//! Functions, values and metric types, as the original README documents them.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::{color, january};
use crate::common::{
    COLOR, COUNT, NOTE, SCORE, START, add_text_series, assert_rows, get_timeseries, point, score,
    store,
};
use crate::on_both_servers;

on_both_servers![
    avg_min_max_and_count_are_supported,
    a_number_is_returned_as_a_number_and_a_colour_as_an_object,
    the_metric_types_are_listed_with_their_schemas,
    text_series_do_not_fail_a_query,
    values_are_not_rounded,
];

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
