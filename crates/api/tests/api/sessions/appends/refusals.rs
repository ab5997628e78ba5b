//! A part with faults is refused as a whole, and every fault is named.

use reqwest::Method;
use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::{Case, at, hr, rgb};
use crate::common::{COLOR, SCORE, assert_faults, assert_problem, point};
use crate::on_both_servers;

on_both_servers![
    every_fault_of_a_part_is_named,
    a_hundred_faults_are_listed_and_all_are_counted,
    members_of_a_part_are_those_of_a_session,
    what_is_no_json_object_is_refused,
    unknown_parameters_are_refused,
    too_large_a_part_is_refused,
    numbers_and_times_that_cannot_be_kept_are_refused,
];

impl Case {
    /// Checks that nothing was added to the one point.
    async fn is_as_it_was(&self) {
        self.assert_scores(&[(0, 1.0)]).await;
        assert_eq!(self.record().await["version"], 1, "no version for nothing");
    }
}

async fn every_fault_of_a_part_is_named(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let part = [
        hr(1, 2.0),
        point(SCORE, &at(2), &json!({"value": "high"})),
        point("session.gut_health", &at(3), &json!({"value": 1})),
        rgb(4, 1.0, 2.0, 3.0),
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
        let answer = case.app.post(&path, &body).await;
        assert_problem(&answer, 422, "invalid_session");
        let faults = [
            "/data/1/value/value schema_violation",
            "/data/2/series unknown_series",
            "/data/4/value/g schema_violation",
            "/data/5/time invalid_time",
            "/data/6/values/value/1 schema_violation",
        ];
        assert_faults(&answer, &faults);
        assert_eq!(answer.json()["total_errors"], 5);
    }
    case.is_as_it_was().await;
    case.end().await;
}

async fn a_hundred_faults_are_listed_and_all_are_counted(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let part: Vec<Value> = (0..250)
        .map(|i| point(SCORE, &at(i), &json!({"value": null})))
        .collect();
    let answer = case.append(&part).await;
    assert_problem(&answer, 422, "invalid_session");
    assert_eq!(
        (answer.faults().len(), &answer.json()["total_errors"]),
        (100, &json!(250))
    );
    case.is_as_it_was().await;
    case.end().await;
}

async fn members_of_a_part_are_those_of_a_session(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
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
        let answer = case.app.post(&case.path(), &body).await;
        assert_problem(&answer, 422, "invalid_session");
        assert_faults(&answer, &[fault]);
    }
    // Under the policy, the user is needed as for any session.
    let body = json!({"session_id": case.id, "data": [hr(1, 1.0)]});
    let answer = case
        .app
        .post("/api/sessions/?on_conflict=append", &body)
        .await;
    assert_problem(&answer, 422, "invalid_session");
    assert_faults(&answer, &["/user_id missing_field"]);
    case.is_as_it_was().await;
    case.end().await;
}

async fn what_is_no_json_object_is_refused(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
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
    let packed = case
        .app
        .request(
            Method::POST,
            &case.path(),
            Some(Vec::new()),
            &[("content-encoding", "br")],
        )
        .await;
    assert_problem(&packed, 415, "unsupported_encoding");
    case.is_as_it_was().await;
    case.end().await;
}

async fn unknown_parameters_are_refused(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    for parameter in ["on_conflcit=append", "limit=1", "user=1", "user_id=x"] {
        let answer = case
            .app
            .post(
                &format!("{}?{parameter}", case.path()),
                &json!({"data": [hr(1, 1.0)]}),
            )
            .await;
        assert_problem(&answer, 422, "invalid_parameters");
        let (name, _) = parameter.split_once('=').expect("a name");
        assert!(
            answer.faults()[0].starts_with(&format!("{name} ")),
            "{}",
            answer.text
        );
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = case
            .app
            .request(method, &case.path(), Some(b"{}".to_vec()), &[])
            .await;
        assert_problem(&answer, 405, "method_not_allowed");
        let allowed = answer.headers["allow"].to_str().expect("text");
        assert!(
            allowed.contains("GET") && allowed.contains("POST"),
            "{allowed}"
        );
    }
    case.is_as_it_was().await;
    case.end().await;
}

async fn too_large_a_part_is_refused(backend: Backend) {
    let app = TestApp::with(backend).max_body_bytes(2_000).start().await;
    app.seed().await;
    let case = Case {
        app,
        user: Uuid::new_v4(),
        id: Uuid::new_v4(),
    };
    let _ = case
        .app
        .post("/api/sessions/", &case.body(&[hr(0, 1.0)]))
        .await
        .expect(201);
    let part: Vec<Value> = (0..100).map(|i| hr(i, 1.0)).collect();
    assert_problem(&case.append(&part).await, 413, "body_too_large");
    case.is_as_it_was().await;
    case.end().await;
}

async fn numbers_and_times_that_cannot_be_kept_are_refused(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
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
        let answer = case.app.post_text(&case.path(), &of(time, value)).await;
        assert!(
            [400, 422].contains(&answer.status.as_u16()),
            "{time} {value}: {}",
            answer.text
        );
        assert_problem(&answer, answer.status.as_u16(), &answer.code());
    }
    case.is_as_it_was().await;
    let _ = case
        .app
        .post_text(&case.path(), &of("2025-01-01T00:00:05.000001000Z", "1e140"))
        .await
        .expect(200);
    case.end().await;
}
