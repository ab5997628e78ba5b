//! With an `Idempotency-Key`, the key alone tells a retry, which is answered as the first time.

use reqwest::Method;
use serde_json::{Value, json};
use time_series_testkit::{Answer, Backend};
use uuid::Uuid;

use super::{Case, START, assert_told, at, hr};
use crate::common::{SCORE, assert_problem};
use crate::on_both_servers;

on_both_servers![
    the_first_answer_comes_again,
    other_points_under_a_used_key_are_refused,
    the_same_points_under_another_key_are_added_again,
    a_key_may_be_quoted,
    keys_are_told_apart,
    a_key_belongs_to_its_session,
    a_refused_part_uses_no_key,
    append_as_a_policy_knows_keys,
    the_part_that_made_a_session_has_a_key,
    a_key_knows_its_points_with_the_start_and_without,
    what_is_no_key_is_refused,
];

/// Checks that this is the first answer once more.
#[track_caller]
fn assert_replayed(answer: &Answer, first: &Answer) {
    assert_eq!((answer.status, &answer.text), (first.status, &first.text));
    assert_eq!(
        answer.headers["idempotent-replayed"], "true",
        "{}",
        answer.text
    );
}

#[track_caller]
fn assert_not_replayed(answer: &Answer) {
    assert!(
        !answer.headers.contains_key("idempotent-replayed"),
        "{:?}",
        answer.headers
    );
}

async fn the_first_answer_comes_again(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let first = case.append_as("part-1", &[hr(10, 2.0), hr(11, 3.0)]).await;
    assert_told(&first, "appended", 2, 3, 2);
    assert_not_replayed(&first);
    assert_replayed(
        &case.append_as("part-1", &[hr(10, 2.0), hr(11, 3.0)]).await,
        &first,
    );
    let second = case.append_as("part-2", &[hr(5, 4.0)]).await;
    assert_told(&second, "appended", 1, 4, 3);
    assert_not_replayed(&second);
    // As it was then, not as it would be now; and however the points are spelled.
    assert_replayed(
        &case.append_as("part-1", &[hr(11, 3.0), hr(10, 2.0)]).await,
        &first,
    );
    let columns = json!({"data": [
        {"series": SCORE, "times": {"start": at(10), "step": "1s"}, "values": {"value": [2, 3]}}
    ]});
    assert_replayed(
        &case
            .send(&case.path(), &columns, &[("Idempotency-Key", "part-1")])
            .await,
        &first,
    );
    case.assert_scores(&[(0, 1.0), (5, 4.0), (10, 2.0), (11, 3.0)])
        .await;
    case.end().await;
}

async fn other_points_under_a_used_key_are_refused(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let part = [hr(10, 2.0), hr(11, 3.0)];
    let first = case.append_as("k", &part).await.expect(200);
    let others: [&[Value]; 5] = [
        &[hr(10, 2.0)],
        &[hr(10, 2.0), hr(11, 4.0)],
        &[hr(10, 2.0), hr(12, 3.0)],
        &[hr(0, 1.0)],
        &[hr(10, 2.0), hr(11, 3.0), hr(11, 3.0)],
    ];
    for other in others {
        let answer = case.append_as("k", other).await;
        assert_problem(&answer, 422, "idempotency_key_reused");
        assert_not_replayed(&answer);
    }
    assert_replayed(&case.append_as("k", &part).await, &first);
    case.assert_scores(&[(0, 1.0), (10, 2.0), (11, 3.0)]).await;
    case.end().await;
}

async fn the_same_points_under_another_key_are_added_again(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let part = [hr(10, 2.0)];
    assert_told(&case.append(&part).await, "appended", 1, 2, 2);
    // What came without a key is no retry of a key.
    assert_told(&case.append_as("a", &part).await, "appended", 1, 3, 3);
    assert_told(&case.append_as("b", &part).await, "appended", 1, 4, 4);
    assert_told(
        &case.append_as("c", &[hr(0, 1.0)]).await,
        "appended",
        1,
        5,
        5,
    );
    // Without a key, the points tell it, under whichever key they came.
    assert_told(&case.append(&part).await, "unchanged", 1, 5, 5);
    assert_told(
        &case.append_as("d", &[hr(7, 7.0)]).await,
        "appended",
        1,
        6,
        6,
    );
    assert_told(&case.append(&[hr(7, 7.0)]).await, "unchanged", 1, 6, 6);
    case.assert_scores(&[
        (0, 1.0),
        (0, 1.0),
        (7, 7.0),
        (10, 2.0),
        (10, 2.0),
        (10, 2.0),
    ])
    .await;
    case.end().await;
}

async fn a_key_may_be_quoted(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let part = [hr(10, 2.0)];
    for key in ["8e03978e-40d5-43dd-bc93-6894a57f9324", "x"] {
        let quoted = format!("\"{key}\"");
        let first = case.append_as(key, &part).await.expect(200);
        assert_replayed(&case.append_as(&quoted, &part).await, &first);
        assert_problem(
            &case.append_as(&quoted, &[hr(11, 1.0)]).await,
            422,
            "idempotency_key_reused",
        );
    }
    let first = case.append_as("\"quoted-first\"", &part).await.expect(200);
    assert_replayed(&case.append_as("quoted-first", &part).await, &first);
    case.assert_scores(&[(0, 1.0), (10, 2.0), (10, 2.0), (10, 2.0)])
        .await;
    case.end().await;
}

async fn keys_are_told_apart(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let keys = [
        "a", "A", "aa", "a-b", "1", "01", "1.0", "null", "%00", "';--", "a%20b",
    ];
    for (number, key) in keys.iter().enumerate() {
        let number = number as u64 + 1;
        assert_told(
            &case.append_as(key, &[hr(1, 1.0)]).await,
            "appended",
            1,
            number,
            number + 1,
        );
    }
    for key in keys {
        let again = case.append_as(key, &[hr(1, 1.0)]).await.expect(200);
        assert!(again.headers.contains_key("idempotent-replayed"), "{key}");
    }
    assert_eq!(case.scores().await.len(), keys.len());
    case.end().await;
}

async fn a_key_belongs_to_its_session(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let _ = case.append_as("k", &[hr(1, 2.0)]).await.expect(200);
    // Another session of the user, and the id under another user.
    for (user, id) in [(case.user, Uuid::new_v4()), (Uuid::new_v4(), case.id)] {
        let body = json!({"user_id": user, "session_id": id, "start_ts": START, "data": []});
        let _ = case.app.post("/api/sessions/", &body).await.expect(201);
        let path = format!("/api/sessions/{id}/points/?user_id={user}");
        let answer = case
            .send(
                &path,
                &json!({"data": [hr(3, 4.0)]}),
                &[("idempotency-key", "k")],
            )
            .await
            .expect(200);
        assert_not_replayed(&answer);
        assert_eq!(
            (&answer.json()["outcome"], &answer.json()["total_points"]),
            (&json!("appended"), &json!(1))
        );
    }
    case.end().await;
}

async fn a_refused_part_uses_no_key(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let bad =
        json!({"data": [hr(1, 2.0), {"series": SCORE, "time": at(2), "value": {"value": "high"}}]});
    assert_problem(
        &case
            .send(&case.path(), &bad, &[("idempotency-key", "k")])
            .await,
        422,
        "invalid_session",
    );
    let elsewhere = json!({"start_ts": at(1), "data": [hr(1, 2.0)]});
    assert_problem(
        &case
            .send(&case.path(), &elsewhere, &[("idempotency-key", "k")])
            .await,
        409,
        "append_conflict",
    );
    assert_told(
        &case.append_as("k", &[hr(1, 3.0)]).await,
        "appended",
        1,
        2,
        2,
    );
    case.assert_scores(&[(0, 1.0), (1, 3.0)]).await;
    case.end().await;
}

async fn append_as_a_policy_knows_keys(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let path = "/api/sessions/?on_conflict=append";
    let part = case.body(&[hr(1, 2.0)]);
    let first = case.send(path, &part, &[("idempotency-key", "k")]).await;
    assert_told(&first, "appended", 1, 2, 2);
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
    assert_told(
        &case.send(path, &part, &[("idempotency-key", "l")]).await,
        "appended",
        1,
        3,
        3,
    );
    let other = case
        .send(path, &case.body(&[hr(1, 3.0)]), &[("idempotency-key", "k")])
        .await;
    assert_problem(&other, 422, "idempotency_key_reused");
    case.end().await;
}

async fn the_part_that_made_a_session_has_a_key(backend: Backend) {
    let mut case = Case::new(backend, &[hr(0, 1.0)]).await;
    let path = "/api/sessions/?on_conflict=append";
    case.id = Uuid::new_v4();
    let part = case.body(&[hr(1, 2.0)]);
    let created = case
        .send(path, &part, &[("idempotency-key", "k")])
        .await
        .expect(201);
    assert_eq!(created.json()["outcome"], "created");
    assert_replayed(
        &case.send(path, &part, &[("idempotency-key", "k")]).await,
        &created,
    );
    let other = case
        .send(path, &case.body(&[hr(1, 3.0)]), &[("idempotency-key", "k")])
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
    case.end().await;
}

/// The start may be left out or be the stored one; under the key, the points are the same.
async fn a_key_knows_its_points_with_the_start_and_without(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let part = [hr(1, 2.0)];
    let first = case.append_as("k", &part).await.expect(200);
    let started = case
        .send(&case.path(), &case.body(&part), &[("idempotency-key", "k")])
        .await;
    assert_replayed(&started, &first);
    case.assert_scores(&[(0, 1.0), (1, 2.0)]).await;
    case.end().await;
}

async fn what_is_no_key_is_refused(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    for bad in [
        "",
        " ",
        "\"\"",
        "a\"b",
        &"k".repeat(256),
        &"k".repeat(5_000),
    ] {
        let answer = case.append_as(bad, &[hr(1, 2.0)]).await;
        assert_problem(&answer, 422, &answer.code());
        assert!(
            answer.text.to_lowercase().contains("idempotency-key"),
            "it names the header: {}",
            answer.text
        );
    }
    case.assert_scores(&[(0, 1.0)]).await;
    assert_told(
        &case.append_as(&"k".repeat(255), &[hr(1, 2.0)]).await,
        "appended",
        1,
        2,
        2,
    );
    // Reads know no keys, and do not mind.
    let read = case
        .app
        .request(Method::GET, &case.path(), None, &[("idempotency-key", "a")])
        .await;
    assert_eq!(read.status.as_u16(), 200);
    case.end().await;
}
