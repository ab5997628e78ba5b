//! An append with faults is rejected as a whole, and every fault is named.

use reqwest::Method;
use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::{Case, at, color_at, score_at};
use crate::common::{COLOR, SCORE, assert_faults, assert_problem, point};
use crate::on_both_servers;

on_both_servers![
    every_fault_of_an_append_is_reported,
    a_hundred_faults_are_listed_and_all_are_counted,
    an_append_has_the_members_of_a_session,
    bodies_that_are_not_json_objects_are_rejected,
    unknown_parameters_are_rejected,
    an_oversized_append_is_rejected,
    numbers_and_times_out_of_range_are_rejected,
];

impl Case {
    /// Checks that nothing was added to the one point.
    async fn assert_unchanged(&self) {
        self.assert_scores(&[(0, 1.0)]).await;
        assert_eq!(
            self.record().await["version"],
            1,
            "an append without points creates no version"
        );
    }
}

async fn every_fault_of_an_append_is_reported(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part = [
        score_at(1, 2.0),
        point(SCORE, &at(2), &json!({"value": "high"})),
        point("session.gut_health", &at(3), &json!({"value": 1})),
        color_at(4, 1.0, 2.0, 3.0),
        point(COLOR, &at(5), &json!({"r": 1, "g": "a", "b": 2})),
        point(SCORE, "yesterday", &json!({"value": 1})),
        json!({"series": SCORE, "times": {"start": at(6), "step": "1s"}, "values": {"value": [1, "a", 3]}}),
    ];
    for (path, body) in [
        (case.path(), json!({ "data": part })),
        (case.path(), case.body(&part)),
        (
            "/api/sessions/?on_conflict=append".to_owned(),
            case.body(&part),
        ),
    ] {
        let response = case.app.post(&path, &body).await;
        assert_problem(&response, 422, "invalid_session");
        let faults = [
            "/data/1/value/value schema_violation",
            "/data/2/series unknown_series",
            "/data/4/value/g schema_violation",
            "/data/5/time invalid_time",
            "/data/6/values/value/1 schema_violation",
        ];
        assert_faults(&response, &faults);
        assert_eq!(response.problem().total_errors, 5);
    }
    case.assert_unchanged().await;
    case.check_database().await;
}

async fn a_hundred_faults_are_listed_and_all_are_counted(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part: Vec<Value> = (0..250)
        .map(|i| point(SCORE, &at(i), &json!({"value": null})))
        .collect();
    let response = case.append(&part).await;
    assert_problem(&response, 422, "invalid_session");
    assert_eq!(
        (response.faults().len(), response.problem().total_errors),
        (100, 250)
    );
    case.assert_unchanged().await;
    case.check_database().await;
}

async fn an_append_has_the_members_of_a_session(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    for (body, fault) in [
        (json!({}), "/data missing_field"),
        (json!({"data": {}}), "/data invalid_type"),
        (json!({"data": [7]}), "/data/0 invalid_type"),
        (json!({"data": [], "points": []}), "/points unknown_field"),
        (
            json!({"data": [], "start_ts": "today"}),
            "/start_ts invalid_time",
        ),
        (
            json!({"data": [], "session_id": "x"}),
            "/session_id invalid_uuid",
        ),
        (
            json!({"data": [{"series": SCORE, "time": at(1)}]}),
            "/data/0/value missing_field",
        ),
        (
            json!({"data": [{"series": SCORE, "time": at(1), "value": {"value": 1}, "unit": "bpm"}]}),
            "/data/0/unit unknown_field",
        ),
    ] {
        let response = case.app.post(&case.path(), &body).await;
        assert_problem(&response, 422, "invalid_session");
        assert_faults(&response, &[fault]);
    }
    // Under the policy, the user is required as for any session.
    let body = json!({"session_id": case.id, "data": [score_at(1, 1.0)]});
    let response = case
        .app
        .post("/api/sessions/?on_conflict=append", &body)
        .await;
    assert_problem(&response, 422, "invalid_session");
    assert_faults(&response, &["/user_id missing_field"]);
    case.assert_unchanged().await;
    case.check_database().await;
}

async fn bodies_that_are_not_json_objects_are_rejected(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    for body in [
        "",
        "[]",
        "null",
        "{\"data\":[]",
        "{\"data\":[]}{}",
        "data=1",
    ] {
        assert_problem(
            &case.app.post_text(&case.path(), body).await,
            400,
            "invalid_body",
        );
    }
    let compressed = case
        .app
        .request(
            Method::POST,
            &case.path(),
            Some(Vec::new()),
            &[("content-encoding", "br")],
        )
        .await;
    assert_problem(&compressed, 415, "unsupported_encoding");
    case.assert_unchanged().await;
    case.check_database().await;
}

async fn unknown_parameters_are_rejected(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    for parameter in ["on_conflcit=append", "limit=1", "user=1", "user_id=x"] {
        let response = case
            .app
            .post(
                &format!("{}?{parameter}", case.path()),
                &json!({"data": [score_at(1, 1.0)]}),
            )
            .await;
        assert_problem(&response, 422, "invalid_parameters");
        let (name, _) = parameter.split_once('=').expect("a name");
        assert!(
            response.faults()[0].starts_with(&format!("{name} ")),
            "{}",
            response.text
        );
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let response = case
            .app
            .request(method, &case.path(), Some(b"{}".to_vec()), &[])
            .await;
        assert_problem(&response, 405, "method_not_allowed");
        let allowed = response.headers["allow"].to_str().expect("text");
        assert!(
            allowed.contains("GET") && allowed.contains("POST"),
            "{allowed}"
        );
    }
    case.assert_unchanged().await;
    case.check_database().await;
}

async fn an_oversized_append_is_rejected(backend: Backend) {
    let app = TestApp::with(backend).max_body_bytes(2_000).start().await;
    app.seed().await;
    let case = Case {
        app,
        user: Uuid::new_v4(),
        id: Uuid::new_v4(),
    };
    let _ = case
        .app
        .post("/api/sessions/", &case.body(&[score_at(0, 1.0)]))
        .await
        .expect(201);
    let part: Vec<Value> = (0..100).map(|i| score_at(i, 1.0)).collect();
    assert_problem(&case.append(&part).await, 413, "body_too_large");
    case.assert_unchanged().await;
    case.check_database().await;
}

async fn numbers_and_times_out_of_range_are_rejected(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let of = |time: &str, value: &str| {
        format!(
            r#"{{"data":[{{"series":"{SCORE}","time":"{time}","value":{{"value":1,"x":{value}}}}}]}}"#
        )
    };
    let good = at(5);
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    for (time, value) in [
        (good.as_str(), "1e141"),
        (&good, "-1e141"),
        (&good, r#""\u0000""#),
        (&good, r#""\ud800""#),
        (&good, r#"{"a":1,"a":2}"#),
        (&good, &deep),
        ("2025-01-01T00:00:05.0000001Z", "1"),
        ("2025-01-01T00:00:60Z", "1"),
        ("2025-01-01T00:00:05", "1"),
        ("2025-01-01", "1"),
    ] {
        let response = case.app.post_text(&case.path(), &of(time, value)).await;
        assert!(
            [400, 422].contains(&response.status.as_u16()),
            "{time} {value}: {}",
            response.text
        );
        assert_problem(&response, response.status.as_u16(), &response.code());
    }
    case.assert_unchanged().await;
    let _ = case
        .app
        .post_text(&case.path(), &of("2025-01-01T00:00:05.000001000Z", "1e140"))
        .await
        .expect(200);
    case.check_database().await;
}
