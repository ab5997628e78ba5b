//! With an `Idempotency-Key`, the key alone identifies a retry, which gets the first response.

use reqwest::Method;
use serde_json::{Value, json};
use time_series_testkit::{Backend, Response};

use super::{Case, Stored, assert_receipt, at, score_at};
use crate::common::{SCORE, assert_problem};
use crate::on_both_servers;

on_both_servers![
    a_retry_gets_the_first_response,
    other_points_under_a_used_key_are_rejected,
    the_same_points_under_another_key_are_added_again,
    a_key_may_be_quoted,
    keys_are_distinguished_exactly,
    a_rejected_append_does_not_use_its_key,
    invalid_keys_are_rejected,
];

/// Checks that the response repeats the first one.
#[track_caller]
pub(super) fn assert_replayed(response: &Response, first: &Response) {
    assert_eq!(
        (response.status, &response.text),
        (first.status, &first.text)
    );
    assert_eq!(
        response.headers["idempotent-replayed"], "true",
        "{}",
        response.text
    );
}

#[track_caller]
pub(super) fn assert_not_replayed(response: &Response) {
    assert!(
        !response.headers.contains_key("idempotent-replayed"),
        "{:?}",
        response.headers
    );
}

async fn a_retry_gets_the_first_response(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let first = case
        .append_with_key("part-1", &[score_at(10, 2.0), score_at(11, 3.0)])
        .await;
    assert_receipt(
        &first,
        &Stored {
            outcome: "appended",
            points: 2,
            total_points: 3,
            version: 2,
        },
    );
    assert_not_replayed(&first);
    assert_replayed(
        &case
            .append_with_key("part-1", &[score_at(10, 2.0), score_at(11, 3.0)])
            .await,
        &first,
    );
    let second = case.append_with_key("part-2", &[score_at(5, 4.0)]).await;
    assert_receipt(
        &second,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 4,
            version: 3,
        },
    );
    assert_not_replayed(&second);
    // The stored response, not a new one, in whatever spelling the points are sent.
    assert_replayed(
        &case
            .append_with_key("part-1", &[score_at(11, 3.0), score_at(10, 2.0)])
            .await,
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
    case.check_database().await;
}

async fn other_points_under_a_used_key_are_rejected(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part = [score_at(10, 2.0), score_at(11, 3.0)];
    let first = case.append_with_key("k", &part).await.expect(200);
    let others: [&[Value]; 5] = [
        &[score_at(10, 2.0)],
        &[score_at(10, 2.0), score_at(11, 4.0)],
        &[score_at(10, 2.0), score_at(12, 3.0)],
        &[score_at(0, 1.0)],
        &[score_at(10, 2.0), score_at(11, 3.0), score_at(11, 3.0)],
    ];
    for other in others {
        let response = case.append_with_key("k", other).await;
        assert_problem(&response, 422, "idempotency_key_reused");
        assert_not_replayed(&response);
    }
    assert_replayed(&case.append_with_key("k", &part).await, &first);
    case.assert_scores(&[(0, 1.0), (10, 2.0), (11, 3.0)]).await;
    case.check_database().await;
}

async fn the_same_points_under_another_key_are_added_again(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part = [score_at(10, 2.0)];
    assert_receipt(
        &case.append(&part).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    // An append without a key is not a retry of one with a key.
    assert_receipt(
        &case.append_with_key("a", &part).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 3,
            version: 3,
        },
    );
    assert_receipt(
        &case.append_with_key("b", &part).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 4,
            version: 4,
        },
    );
    assert_receipt(
        &case.append_with_key("c", &[score_at(0, 1.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 5,
            version: 5,
        },
    );
    // Without a key, the points identify a retry, under whichever key they were sent.
    assert_receipt(
        &case.append(&part).await,
        &Stored {
            outcome: "unchanged",
            points: 1,
            total_points: 5,
            version: 5,
        },
    );
    assert_receipt(
        &case.append_with_key("d", &[score_at(7, 7.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 6,
            version: 6,
        },
    );
    assert_receipt(
        &case.append(&[score_at(7, 7.0)]).await,
        &Stored {
            outcome: "unchanged",
            points: 1,
            total_points: 6,
            version: 6,
        },
    );
    case.assert_scores(&[
        (0, 1.0),
        (0, 1.0),
        (7, 7.0),
        (10, 2.0),
        (10, 2.0),
        (10, 2.0),
    ])
    .await;
    case.check_database().await;
}

async fn a_key_may_be_quoted(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part = [score_at(10, 2.0)];
    for key in ["8e03978e-40d5-43dd-bc93-6894a57f9324", "x"] {
        let quoted = format!("\"{key}\"");
        let first = case.append_with_key(key, &part).await.expect(200);
        assert_replayed(&case.append_with_key(&quoted, &part).await, &first);
        assert_problem(
            &case.append_with_key(&quoted, &[score_at(11, 1.0)]).await,
            422,
            "idempotency_key_reused",
        );
    }
    let first = case
        .append_with_key("\"quoted-first\"", &part)
        .await
        .expect(200);
    assert_replayed(&case.append_with_key("quoted-first", &part).await, &first);
    case.assert_scores(&[(0, 1.0), (10, 2.0), (10, 2.0), (10, 2.0)])
        .await;
    case.check_database().await;
}

async fn keys_are_distinguished_exactly(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let keys = [
        "a", "A", "aa", "a-b", "1", "01", "1.0", "null", "%00", "';--", "a%20b",
    ];
    for (number, key) in keys.iter().enumerate() {
        let number = number as u64 + 1;
        assert_receipt(
            &case.append_with_key(key, &[score_at(1, 1.0)]).await,
            &Stored {
                outcome: "appended",
                points: 1,
                total_points: number,
                version: number + 1,
            },
        );
    }
    for key in keys {
        let again = case
            .append_with_key(key, &[score_at(1, 1.0)])
            .await
            .expect(200);
        assert!(again.headers.contains_key("idempotent-replayed"), "{key}");
    }
    assert_eq!(case.scores().await.len(), keys.len());
    case.check_database().await;
}

async fn a_rejected_append_does_not_use_its_key(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let bad = json!({"data": [score_at(1, 2.0), {"series": SCORE, "time": at(2), "value": {"value": "high"}}]});
    assert_problem(
        &case
            .send(&case.path(), &bad, &[("idempotency-key", "k")])
            .await,
        422,
        "invalid_session",
    );
    let elsewhere = json!({"start_ts": at(1), "data": [score_at(1, 2.0)]});
    assert_problem(
        &case
            .send(&case.path(), &elsewhere, &[("idempotency-key", "k")])
            .await,
        409,
        "append_conflict",
    );
    assert_receipt(
        &case.append_with_key("k", &[score_at(1, 3.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    case.assert_scores(&[(0, 1.0), (1, 3.0)]).await;
    case.check_database().await;
}

async fn invalid_keys_are_rejected(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    for bad in [
        "",
        " ",
        "\"\"",
        "a\"b",
        &"k".repeat(256),
        &"k".repeat(5_000),
    ] {
        let response = case.append_with_key(bad, &[score_at(1, 2.0)]).await;
        assert_problem(&response, 422, &response.code());
        assert!(
            response.text.to_lowercase().contains("idempotency-key"),
            "the message names the header: {}",
            response.text
        );
    }
    case.assert_scores(&[(0, 1.0)]).await;
    assert_receipt(
        &case
            .append_with_key(&"k".repeat(255), &[score_at(1, 2.0)])
            .await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    // Reads ignore keys.
    let read = case
        .app
        .request(Method::GET, &case.path(), None, &[("idempotency-key", "a")])
        .await;
    assert_eq!(read.status.as_u16(), 200);
    case.check_database().await;
}
