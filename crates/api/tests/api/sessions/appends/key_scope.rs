//! The scope of an `Idempotency-Key`: one session, whichever endpoint and start.

use serde_json::json;
use time_series_testkit::Backend;
use uuid::Uuid;

use super::keys::{assert_not_replayed, assert_replayed};
use super::{Case, START, Stored, assert_receipt, score_at};
use crate::common::assert_problem;
use crate::on_both_servers;

on_both_servers![
    a_key_belongs_to_its_session,
    on_conflict_append_supports_keys,
    the_append_that_created_a_session_has_a_key,
    a_key_identifies_its_points_with_and_without_the_start,
];

async fn a_key_belongs_to_its_session(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let _ = case
        .append_with_key("k", &[score_at(1, 2.0)])
        .await
        .expect(200);
    // Another session of the user, and the same id under another user.
    for (user, id) in [(case.user, Uuid::new_v4()), (Uuid::new_v4(), case.id)] {
        let body = json!({"user_id": user, "session_id": id, "start_ts": START, "data": []});
        let _ = case.app.post("/api/sessions/", &body).await.expect(201);
        let path = format!("/api/sessions/{id}/points/?user_id={user}");
        let response = case
            .send(
                &path,
                &json!({"data": [score_at(3, 4.0)]}),
                &[("idempotency-key", "k")],
            )
            .await
            .expect(200);
        assert_not_replayed(&response);
        assert_eq!(
            (
                &response.json()["outcome"],
                &response.json()["total_points"]
            ),
            (&json!("appended"), &json!(1))
        );
    }
    case.check_database().await;
}

async fn on_conflict_append_supports_keys(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let path = "/api/sessions/?on_conflict=append";
    let part = case.body(&[score_at(1, 2.0)]);
    let first = case.send(path, &part, &[("idempotency-key", "k")]).await;
    assert_receipt(
        &first,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    assert_replayed(
        &case.send(path, &part, &[("idempotency-key", "k")]).await,
        &first,
    );
    assert_replayed(
        &case
            .send(&case.path(), &part, &[("idempotency-key", "k")])
            .await,
        &first,
    );
    assert_receipt(
        &case.send(path, &part, &[("idempotency-key", "l")]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 3,
            version: 3,
        },
    );
    let other = case
        .send(
            path,
            &case.body(&[score_at(1, 3.0)]),
            &[("idempotency-key", "k")],
        )
        .await;
    assert_problem(&other, 422, "idempotency_key_reused");
    case.check_database().await;
}

async fn the_append_that_created_a_session_has_a_key(backend: Backend) {
    let mut case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let path = "/api/sessions/?on_conflict=append";
    case.id = Uuid::new_v4();
    let part = case.body(&[score_at(1, 2.0)]);
    let created = case
        .send(path, &part, &[("idempotency-key", "k")])
        .await
        .expect(201);
    assert_eq!(created.receipt().outcome, "created");
    assert_replayed(
        &case.send(path, &part, &[("idempotency-key", "k")]).await,
        &created,
    );
    let other = case
        .send(
            path,
            &case.body(&[score_at(1, 3.0)]),
            &[("idempotency-key", "k")],
        )
        .await;
    assert_problem(&other, 422, "idempotency_key_reused");
    let again = case
        .send(path, &part, &[("idempotency-key", "m")])
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&again["outcome"], &again["total_points"]),
        (&json!("appended"), &json!(2))
    );
    case.check_database().await;
}

/// The start may be omitted or be the stored one; under the key, the points are the same.
async fn a_key_identifies_its_points_with_and_without_the_start(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part = [score_at(1, 2.0)];
    let first = case.append_with_key("k", &part).await.expect(200);
    let started = case
        .send(&case.path(), &case.body(&part), &[("idempotency-key", "k")])
        .await;
    assert_replayed(&started, &first);
    case.assert_scores(&[(0, 1.0), (1, 2.0)]).await;
    case.check_database().await;
}
