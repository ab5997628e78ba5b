//! Points as columns: the same points, and faults with their locations.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::on_both_servers;

on_both_servers![
    columns_are_the_same_session_as_points,
    columns_and_points_may_be_mixed,
    faults_of_columns_have_pointers,
];

const SCORE: &str = "session.gut_health_score";
const COLOR: &str = "session.urine.color";

fn session(id: Uuid, user: Uuid, data: &Value) -> Value {
    json!({"user_id": user, "session_id": id, "start_ts": "2025-01-01T00:00:00Z", "data": data})
}

async fn columns_are_the_same_session_as_points(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let at = |second: usize| format!("2025-01-01T00:00:{second:02}Z");
    let scores = [71.5, 70.0, 1e-3];
    let mut points: Vec<Value> = (0..3)
        .map(|i| json!({"series": SCORE, "time": at(2 * i), "value": {"value": scores[i]}}))
        .collect();
    points.extend(
        (0..2).map(|i| json!({"series": COLOR, "time": at(i), "value": {"r": i, "g": 2, "b": 3}})),
    );
    let stored = app
        .post("/api/sessions/", &session(id, user, &json!(points)))
        .await
        .expect(201);
    assert_eq!(stored.json()["points"], 5);
    let times: Vec<String> = (0..3).map(|i| at(2 * i)).collect();
    let colors = json!({"series": COLOR, "times": [at(0), at(1)], "values": {"r": [0, 1], "g": [2, 2.0], "b": [3, 3]}});
    for scores in [
        json!({"series": SCORE, "times": times, "values": {"value": scores}}),
        json!({"series": SCORE, "times": {"start": at(0), "step": "2s"}, "values": {"value": scores}}),
        json!({"series": SCORE, "times": {"start": at(0), "step": "2000ms"}, "values": [{"value": 71.5}, {"value": 70}, {"value": 0.001}]}),
    ] {
        let again = app
            .post(
                "/api/sessions/",
                &session(id, user, &json!([scores, colors])),
            )
            .await
            .expect(200);
        assert_eq!(again.receipt().outcome, "unchanged", "{}", again.text);
    }
}

async fn columns_and_points_may_be_mixed(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let data = json!([
        {"series": SCORE, "time": "2025-01-01T00:00:01Z", "value": {"value": 1}},
        {"series": SCORE, "times": {"start": "2025-01-01T00:00:00Z", "step": "1s"}, "values": {"value": [2, 3, 4]}},
        {"series": SCORE, "time": "2025-01-01T00:00:01Z", "value": {"value": 5}},
        {"series": SCORE, "times": [], "values": []},
    ]);
    let stored = app
        .post("/api/sessions/", &session(id, user, &data))
        .await
        .expect(201);
    assert_eq!(stored.json()["points"], 5);
    let points = app
        .get(&format!("/api/points/?user_id={user}"))
        .await
        .expect(200)
        .json();
    let values: Vec<i64> = points["results"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|p| p["value"]["value"].as_i64())
        .collect();
    // Equal times keep their order of arrival.
    assert_eq!(values, [2, 1, 3, 5, 4]);
}

async fn faults_of_columns_have_pointers(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let start = json!({"start": "2025-01-01T00:00:00Z", "step": "1s"});
    let point = json!({"series": SCORE, "time": "2025-01-01T00:00:00Z", "value": {"value": 1}});
    let cases = [
        (
            json!([{"series": SCORE, "times": start, "values": {"value": [1, "a", 3]}}]),
            "/data/0/values/value/1 schema_violation",
        ),
        (
            json!([{"series": SCORE, "times": start, "values": [{"value": 1}, 2]}]),
            "/data/0/values/1 schema_violation",
        ),
        (
            json!([point, {"series": "session.gut", "times": start, "values": [1, 2]}]),
            "/data/1/series unknown_series",
        ),
        (
            json!([{"series": SCORE, "times": ["2025-01-01T00:00:00Z"], "values": []}]),
            "/data/0/values invalid_type",
        ),
        (
            json!([{"series": SCORE, "times": ["2025-01-01"], "values": [1]}]),
            "/data/0/times/0 invalid_time",
        ),
        (
            json!([{"series": SCORE, "times": ["2199-01-01T00:00:00Z"], "values": {"value": [1]}}]),
            "/data/0/times/0 implausible_time",
        ),
        (
            json!([{"series": SCORE, "times": start}]),
            "/data/0/values missing_field",
        ),
        (
            json!([{"times": start, "values": []}]),
            "/data/0/series missing_field",
        ),
        (
            json!([{"series": SCORE, "times": start, "values": [], "value": 1}]),
            "/data/0/value unknown_field",
        ),
        (
            json!([{"series": SCORE, "times": start, "values": [1, 2]}, {"series": SCORE, "time": "x", "value": {"value": 1}}]),
            "/data/1/time invalid_time",
        ),
    ];
    for (data, fault) in cases {
        let rejected = app
            .post("/api/sessions/", &session(Uuid::new_v4(), user, &data))
            .await
            .expect(422);
        assert!(
            rejected.faults().iter().any(|f| f == fault),
            "{data}: {:?}",
            rejected.faults()
        );
    }
    assert_eq!(
        app.get(&format!("/api/sessions/?user_id={user}"))
            .await
            .metadata()
            .count,
        0,
        "nothing was stored"
    );
}
