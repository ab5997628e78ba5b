//! The same session in any spelling changes nothing; different content is another session.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, assert_problem, point, points_of};
use crate::on_both_servers;

on_both_servers![
    an_identical_body_is_unchanged,
    spelling_makes_no_difference,
    different_content_is_a_conflict,
    points_of_one_series_and_time_keep_their_order,
];

const USER: &str = "5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c01";
const BASE: &str = r#"{"user_id": "5a8c9f42-8a55-4c1e-9a40-2b6a2f1d6c01", "session_id": "ID", "start_ts": "2025-01-01T00:00:00Z", "data": [
    {"series": "session.gut_health_score", "time": "2025-01-01T00:00:00.5Z", "value": {"value": 7}},
    {"series": "session.gut_health_score", "time": "2025-01-01T00:00:02Z", "value": {"value": 0.1, "note": {"a": 100, "b": [1, 2]}}},
    {"series": "session.urine.color", "time": "2025-01-01T00:00:00Z", "value": {"r": 1, "g": 2, "b": 3}}
]}"#;

/// Posts the session, then each variant of it under an id of its own; returns the responses.
async fn assert_reposts(
    backend: Backend,
    base: &str,
    variants: &[String],
    status: u16,
    outcome: &str,
) {
    let app = TestApp::seeded(backend).await;
    for variant in variants {
        let id = Uuid::new_v4().to_string();
        let first = app
            .post_text("/api/sessions/", &base.replace("ID", &id))
            .await
            .expect(201)
            .json();
        let again = app
            .post_text("/api/sessions/", &variant.replace("ID", &id))
            .await;
        assert_eq!(again.status.as_u16(), status, "{variant}\n{}", again.text);
        if status == 200 {
            assert_eq!(again.receipt().outcome, outcome, "{variant}");
            assert_eq!(again.json()["session_id"], first["session_id"]);
            assert_eq!(again.json()["version"], first["version"], "nothing changed");
        } else {
            assert_problem(&again, status, outcome);
        }
    }
    let posted: Value = serde_json::from_str(base).expect("JSON");
    let points = posted["data"].as_array().expect("points").len() * variants.len();
    let stored = points_of(&app, Uuid::parse_str(USER).expect("a UUID")).await;
    assert_eq!(
        stored, points as u64,
        "only the session that was stored first exists"
    );
}

fn variants(changes: &[(&str, &str)]) -> Vec<String> {
    let change = |(from, to): &(&str, &str)| {
        assert!(BASE.contains(from), "{from}");
        BASE.replace(from, to)
    };
    changes.iter().map(change).collect()
}

async fn an_identical_body_is_unchanged(backend: Backend) {
    assert_reposts(backend, BASE, &[BASE.to_owned()], 200, "unchanged").await;
}

async fn spelling_makes_no_difference(backend: Backend) {
    let mut all = variants(&[
        (r#"{"value": 7}"#, r#"{"value": 7.0}"#),
        (r#"{"value": 7}"#, r#"{"value": 70e-1}"#),
        (r#""a": 100"#, r#""a": 1e2"#),
        ("0.1", "0.10000000000000000"),
        ("0.1", "1E-1"),
        ("2025-01-01T00:00:02Z", "2025-01-01T02:00:02+02:00"),
        (
            "2025-01-01T00:00:02Z",
            "2024-12-31T23:30:02.000000000-00:30",
        ),
        ("00:00:00.5Z", "00:00:00.500000Z"),
        (
            r#""start_ts": "2025-01-01T00:00:00Z""#,
            r#""start_ts": "2025-01-01T05:30:00+05:30""#,
        ),
        (r#"{"r": 1, "g": 2, "b": 3}"#, r#"{"b": 3, "r": 1, "g": 2}"#),
        (
            r#"{"value": 0.1, "note": {"a": 100, "b": [1, 2]}}"#,
            r#"{"note": {"b": [1, 2], "a": 100}, "value": 0.1}"#,
        ),
        ("session.urine.color", r"session.urine.col\u006fr"),
        ("5a8c9f42", "5A8C9F42"),
    ]);
    let mut body: Value = serde_json::from_str(BASE).expect("JSON");
    body["data"].as_array_mut().expect("points").reverse();
    all.push(body.to_string()); // other order of points and members, no white space
    assert_reposts(backend, BASE, &all, 200, "unchanged").await;
}

async fn different_content_is_a_conflict(backend: Backend) {
    let mut all = variants(&[
        (r#"{"value": 7}"#, r#"{"value": 7.000000000000001}"#),
        (r#""b": [1, 2]"#, r#""b": [2, 1]"#),
        (r#""a": 100"#, r#""a": "100""#),
        (r#""a": 100"#, r#""a": 100, "c": null"#),
        ("00:00:00.5Z", "00:00:00.500001Z"),
        (
            r#""start_ts": "2025-01-01T00:00:00Z""#,
            r#""start_ts": "2025-01-01T00:00:01Z""#,
        ),
        (r#""start_ts": "2025-01-01T00:00:00Z", "#, ""),
    ]);
    let mut body: Value = serde_json::from_str(BASE).expect("JSON");
    let data = body["data"].as_array_mut().expect("points");
    data.push(data[0].clone()); // a repeated point is two points
    all.push(body.to_string());
    body["data"].as_array_mut().expect("points").truncate(2);
    all.push(body.to_string());
    body["data"] = json!([]);
    all.push(body.to_string());
    assert_reposts(backend, BASE, &all, 409, "session_conflict").await;
    // Every digit of an integer counts, even if the nearest f64 is equal; so does the sign of zero.
    let large = BASE.replace(r#"{"value": 7}"#, r#"{"value": 9007199254740992}"#);
    assert_reposts(
        backend,
        &large,
        &[large.replace("0992", "0993")],
        409,
        "session_conflict",
    )
    .await;
    let zero = BASE.replace(r#"{"value": 7}"#, r#"{"value": 0.0}"#);
    assert_reposts(
        backend,
        &zero,
        &[zero.replace("0.0}", "-0.0}")],
        409,
        "session_conflict",
    )
    .await;
}

async fn points_of_one_series_and_time_keep_their_order(backend: Backend) {
    let point = |value: u8| point(SCORE, "2025-01-01T00:00:00Z", &json!({"value": value}));
    let body =
        |data: [Value; 3]| json!({"user_id": USER, "session_id": "ID", "data": data}).to_string();
    let base = body([point(1), point(2), point(2)]);
    assert_reposts(
        backend,
        &base,
        std::slice::from_ref(&base),
        200,
        "unchanged",
    )
    .await;
    assert_reposts(
        backend,
        &base,
        &[body([point(2), point(1), point(2)])],
        409,
        "session_conflict",
    )
    .await;
}
