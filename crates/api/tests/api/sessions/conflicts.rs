//! `on_conflict`, if another session has the id: an error, no change or a replacement.

use serde_json::json;
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{
    COLOR, SCORE, START, assert_faults, assert_problem, assert_rows, get_timeseries, point, score,
    session, sessions_of,
};
use crate::on_both_servers;

on_both_servers![
    error_is_the_default_and_keeps_the_stored_session,
    ignore_keeps_the_stored_session,
    replace_stores_the_new_session,
    replace_also_replaces_the_start_and_the_series,
    every_policy_stores_new_sessions_and_recognises_equal_ones,
    two_users_may_use_the_same_id,
    an_unknown_policy_is_rejected,
    a_bad_session_is_rejected_under_every_policy,
];

struct Case {
    app: TestApp,
    user: Uuid,
    id: Uuid,
}

impl Case {
    /// Stores a session of one point with the value 1.
    async fn new(backend: Backend) -> Self {
        let case = Self {
            app: TestApp::seeded(backend).await,
            user: Uuid::new_v4(),
            id: Uuid::new_v4(),
        };
        let _ = case.post("", 1.0).await.expect(201);
        case
    }

    async fn post(&self, parameters: &str, value: f64) -> Response {
        let body = session(self.user, self.id, START, &[score(START, value)]);
        self.app
            .post(&format!("/api/sessions/{parameters}"), &body)
            .await
    }

    async fn assert_sum(&self, sum: f64) {
        let january = [
            ("start_time", "2025-01-01"),
            ("end_time", "2025-02-01"),
            ("agg_func", "sum"),
            ("interval", "month"),
        ];
        assert_rows(
            &get_timeseries(&self.app, self.user, &january).await,
            &[(START, SCORE, json!(sum))],
        );
    }
}

async fn error_is_the_default_and_keeps_the_stored_session(backend: Backend) {
    let case = Case::new(backend).await;
    for parameters in ["", "?on_conflict=error"] {
        assert_problem(&case.post(parameters, 2.0).await, 409, "session_conflict");
        case.assert_sum(1.0).await;
    }
}

async fn ignore_keeps_the_stored_session(backend: Backend) {
    let case = Case::new(backend).await;
    let receipt = case
        .post("?on_conflict=ignore", 2.0)
        .await
        .expect(200)
        .json();
    assert_eq!(receipt["outcome"], "ignored");
    case.assert_sum(1.0).await;
}

async fn replace_stores_the_new_session(backend: Backend) {
    let case = Case::new(backend).await;
    let receipt = case
        .post("?on_conflict=replace", 2.0)
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&receipt["outcome"], &receipt["points"]),
        (&json!("replaced"), &json!(1))
    );
    case.assert_sum(2.0).await;
    assert_eq!(sessions_of(&case.app, case.user).await.len(), 1);
    // The new session is now the stored one.
    assert_eq!(
        case.post("", 2.0).await.expect(200).receipt().outcome,
        "unchanged"
    );
    assert_problem(&case.post("", 1.0).await, 409, "session_conflict");
}

async fn replace_also_replaces_the_start_and_the_series(backend: Backend) {
    let case = Case::new(backend).await;
    let start = "2025-03-01T00:00:00Z";
    let body = session(
        case.user,
        case.id,
        start,
        &[point(COLOR, start, &json!({"r": 1, "g": 2, "b": 3}))],
    );
    let _ = case
        .app
        .post("/api/sessions/?on_conflict=replace", &body)
        .await
        .expect(200);
    let record = case
        .app
        .get(&format!("/api/sessions/{}/", case.id))
        .await
        .expect(200)
        .json();
    assert_eq!(record["start_ts"], start);
    assert_eq!(record["series"], json!([{"series": COLOR, "points": 1}]));
    let year = [
        ("start_time", "2025-01-01"),
        ("end_time", "2026-01-01"),
        ("interval", "month"),
        ("agg_func", "count"),
    ];
    assert_rows(
        &get_timeseries(&case.app, case.user, &year).await,
        &[(start, COLOR, json!({"r": 1, "g": 1, "b": 1}))],
    );
}

async fn every_policy_stores_new_sessions_and_recognises_equal_ones(backend: Backend) {
    let mut case = Case::new(backend).await;
    for parameters in [
        "?on_conflict=error",
        "?on_conflict=ignore",
        "?on_conflict=replace",
    ] {
        case.id = Uuid::new_v4();
        let _ = case.post(parameters, 5.0).await.expect(201);
        assert_eq!(
            case.post(parameters, 5.0)
                .await
                .expect(200)
                .receipt()
                .outcome,
            "unchanged"
        );
    }
    case.assert_sum(16.0).await;
}

async fn two_users_may_use_the_same_id(backend: Backend) {
    let case = Case::new(backend).await;
    let other = Uuid::new_v4();
    let body = session(
        other,
        case.id,
        START,
        &[score(START, 10.0), score(START, 20.0)],
    );
    let _ = case.app.post("/api/sessions/", &body).await.expect(201);
    case.assert_sum(1.0).await;
    let path = format!("/api/sessions/{}/", case.id);
    let ambiguous = case.app.get(&path).await;
    assert_problem(&ambiguous, 409, "session_ambiguous");
    assert!(
        ambiguous.text.contains("user_id"),
        "the message names user_id: {}",
        ambiguous.text
    );
    assert_problem(&case.app.delete(&path).await, 409, "session_ambiguous");
    assert_eq!(
        sessions_of(&case.app, other).await.len(),
        1,
        "nothing was deleted"
    );
    for (user, points) in [(case.user, 1), (other, 2)] {
        let record = case
            .app
            .get(&format!("{path}?user_id={user}"))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&record["user_id"], &record["points"]),
            (&json!(user), &json!(points))
        );
    }
    let stranger = Uuid::new_v4();
    assert_problem(
        &case.app.get(&format!("{path}?user_id={stranger}")).await,
        404,
        "session_not_found",
    );
    assert_problem(
        &case.app.delete(&format!("{path}?user_id={stranger}")).await,
        404,
        "session_not_found",
    );
    let _ = case
        .app
        .delete(&format!("{path}?user_id={other}"))
        .await
        .expect(204);
    assert_eq!(
        case.app.get(&path).await.expect(200).json()["user_id"],
        json!(case.user),
        "now a session has the id"
    );
    case.assert_sum(1.0).await;
}

async fn an_unknown_policy_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    for parameters in [
        "?on_conflict=merge",
        "?on_conflict=",
        "?on_conflict=IGNORE,replace",
    ] {
        let response = case.post(parameters, 2.0).await;
        assert_problem(&response, 422, "invalid_parameters");
        assert!(
            response.faults()[0].starts_with("on_conflict "),
            "{}",
            response.text
        );
    }
    assert_problem(
        &case
            .post("?on_conflict=ignore&on_conflict=replace", 2.0)
            .await,
        422,
        "invalid_parameters",
    );
    case.assert_sum(1.0).await;
}

async fn a_bad_session_is_rejected_under_every_policy(backend: Backend) {
    let case = Case::new(backend).await;
    let body = session(
        case.user,
        case.id,
        START,
        &[point(SCORE, START, &json!({"value": "high"}))],
    );
    for policy in ["error", "ignore", "replace"] {
        let response = case
            .app
            .post(&format!("/api/sessions/?on_conflict={policy}"), &body)
            .await;
        assert_problem(&response, 422, "invalid_session");
        assert_faults(&response, &["/data/0/value/value schema_violation"]);
    }
    case.assert_sum(1.0).await;
}
