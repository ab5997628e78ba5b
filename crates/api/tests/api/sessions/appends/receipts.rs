//! The response to an append, and the accepted formats of points.

use serde_json::{Value, json};
use time_series_testkit::Backend;
use uuid::Uuid;

use super::{Case, START, Stored, assert_receipt, at, color_at, score_at};
use crate::common::{COLOR, SCORE, as_floats, gzip, sessions_of, zstd};
use crate::on_both_servers;

on_both_servers![
    the_receipt_of_an_append_has_the_totals,
    versions_rise_with_each_append,
    on_conflict_append_equals_the_points_endpoint,
    on_conflict_append_stores_new_sessions,
    an_append_may_be_columns,
    an_append_may_be_compressed,
    an_empty_append_adds_nothing,
    a_dry_run_adds_nothing,
    a_session_without_points_can_be_filled,
];

async fn the_receipt_of_an_append_has_the_totals(backend: Backend) {
    let case = Case::new(
        backend,
        &[
            score_at(0, 1.0),
            score_at(1, 2.0),
            score_at(2, 3.0),
            color_at(60, 255.0, 240.0, 120.0),
        ],
    )
    .await;
    let receipt = case
        .append(&[score_at(3, 4.0), score_at(4, 5.0)])
        .await
        .expect(200)
        .json();
    let expected = json!({
        "message": receipt["message"], "outcome": "appended", "user_id": case.user, "session_id": case.id,
        "points": 2, "version": 2, "total_points": 6,
    });
    assert_eq!(receipt, expected);
    assert!(
        receipt["message"].as_str().is_some_and(|m| !m.is_empty()),
        "{receipt}"
    );
    // The trailing slash is optional.
    let body = json!({"data": [score_at(5, 6.0)]});
    let response = case
        .app
        .post(case.path().trim_end_matches('/'), &body)
        .await;
    assert_receipt(
        &response,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 7,
            version: 3,
        },
    );
    case.check_database().await;
}

async fn versions_rise_with_each_append(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    for i in 1..=10 {
        let response = case.append(&[score_at(i, 1.0)]).await;
        let i = u64::try_from(i).expect("small");
        assert_receipt(
            &response,
            &Stored {
                outcome: "appended",
                points: 1,
                total_points: i + 1,
                version: i + 1,
            },
        );
        assert_eq!(case.record().await["version"], i + 1);
    }
    // Versions belong to the user: another session of the user continues the count.
    let other = json!({"user_id": case.user, "data": [score_at(0, 1.0)]});
    assert_eq!(
        case.app
            .post("/api/sessions/", &other)
            .await
            .expect(201)
            .json()["version"],
        12
    );
    assert_receipt(
        &case.append(&[score_at(11, 1.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 12,
            version: 13,
        },
    );
    case.check_database().await;
}

async fn on_conflict_append_equals_the_points_endpoint(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part = [score_at(10, 2.0), score_at(5, 3.0)];
    assert_receipt(
        &case.post("append", &part).await,
        &Stored {
            outcome: "appended",
            points: 2,
            total_points: 3,
            version: 2,
        },
    );
    let item = case.send(&case.path(), &case.body(&part), &[]).await;
    assert_receipt(
        &item,
        &Stored {
            outcome: "unchanged",
            points: 2,
            total_points: 3,
            version: 2,
        },
    );
    case.assert_scores(&[(0, 1.0), (5, 3.0), (10, 2.0)]).await;
    case.check_database().await;
}

async fn on_conflict_append_stores_new_sessions(backend: Backend) {
    let mut case = Case::new(backend, &[]).await;
    case.id = Uuid::new_v4();
    let first = case
        .post("append", &[score_at(0, 1.0), score_at(1, 2.0)])
        .await
        .expect(201)
        .receipt();
    let expected = Stored {
        outcome: "created",
        points: 2,
        total_points: 2,
        version: 2,
    };
    assert_eq!(Stored::of(&first), expected);
    assert_receipt(
        &case
            .post("append", &[score_at(0, 1.0), score_at(1, 2.0)])
            .await,
        &Stored {
            outcome: "unchanged",
            points: 2,
            total_points: 2,
            version: 2,
        },
    );
    assert_receipt(
        &case.post("append", &[score_at(2, 3.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 3,
            version: 3,
        },
    );
    case.assert_scores(&[(0, 1.0), (1, 2.0), (2, 3.0)]).await;
    // Without an id, each is a session of its own.
    let body = json!({"user_id": case.user, "data": [score_at(0, 1.0)]});
    for _ in 0..2 {
        let made = case
            .app
            .post("/api/sessions/?on_conflict=append", &body)
            .await
            .expect(201)
            .json();
        assert_eq!(made["outcome"], "created");
    }
    assert_eq!(sessions_of(&case.app, case.user).await.len(), 4);
    case.check_database().await;
}

async fn an_append_may_be_columns(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let data = json!([
        {"series": SCORE, "times": {"start": at(3), "step": "1s"}, "values": {"value": [71.7, 71.9]}},
        {"series": COLOR, "times": [at(1), at(4)], "values": [{"r": 1, "g": 2, "b": 3}, {"r": 4, "g": 5, "b": 6}]},
        {"series": SCORE, "time": at(3), "value": {"value": 8}},
    ]);
    let response = case.app.post(&case.path(), &json!({ "data": data })).await;
    assert_receipt(
        &response,
        &Stored {
            outcome: "appended",
            points: 5,
            total_points: 6,
            version: 2,
        },
    );
    case.assert_scores(&[(0, 1.0), (3, 71.7), (3, 8.0), (4, 71.9)])
        .await;
    // The same points, not as columns, are the same append.
    let same = [
        score_at(4, 71.9),
        score_at(3, 71.7),
        score_at(3, 8.0),
        color_at(4, 4.0, 5.0, 6.0),
        color_at(1, 1.0, 2.0, 3.0),
    ];
    assert_receipt(
        &case.append(&same).await,
        &Stored {
            outcome: "unchanged",
            points: 5,
            total_points: 6,
            version: 2,
        },
    );
    case.check_database().await;
}

async fn an_append_may_be_compressed(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let body = |second: i64| json!({"data": [score_at(second, 2.0)]}).to_string();
    for (compressed, encoding, total) in [
        (gzip(body(1).as_bytes()), "gzip", 2),
        (zstd(body(2).as_bytes()), "zstd", 3),
    ] {
        let headers = [("content-encoding", encoding)];
        let response = case
            .app
            .request(
                reqwest::Method::POST,
                &case.path(),
                Some(compressed),
                &headers,
            )
            .await;
        assert_receipt(
            &response,
            &Stored {
                outcome: "appended",
                points: 1,
                total_points: total,
                version: total,
            },
        );
    }
    case.assert_scores(&[(0, 1.0), (1, 2.0), (2, 2.0)]).await;
    case.check_database().await;
}

async fn an_empty_append_adds_nothing(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    for body in [
        json!({"data": []}),
        json!({"data": [{"series": SCORE, "times": [], "values": []}]}),
    ] {
        let receipt = case.app.post(&case.path(), &body).await.expect(200).json();
        assert_eq!(
            (&receipt["points"], &receipt["total_points"]),
            (&json!(0), &json!(1)),
            "{receipt}"
        );
    }
    case.assert_scores(&[(0, 1.0)]).await;
    case.check_database().await;
}

async fn a_dry_run_adds_nothing(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let path = "/api/sessions/?on_conflict=append&dry_run=true";
    let checked = case
        .app
        .post(path, &case.body(&[score_at(1, 2.0)]))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&checked["outcome"], &checked["points"]),
        (&json!("checked"), &json!(1))
    );
    assert_eq!(
        (&checked["version"], &checked["total_points"]),
        (&Value::Null, &Value::Null)
    );
    case.assert_scores(&[(0, 1.0)]).await;
    assert_receipt(
        &case.append(&[score_at(1, 2.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    case.check_database().await;
}

async fn a_session_without_points_can_be_filled(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    assert_receipt(
        &case.append(&[score_at(7, 1.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 1,
            version: 2,
        },
    );
    let record = case.record().await;
    assert_eq!(
        (&record["first_time"], &record["last_time"]),
        (&json!(at(7)), &json!(at(7)))
    );
    assert_eq!(
        (&record["start_ts"], &record["points"]),
        (&json!(START), &json!(1))
    );
    assert_eq!(
        as_floats(&record["series"]),
        as_floats(&json!([{"series": SCORE, "points": 1}]))
    );
    case.assert_scores(&[(7, 1.0)]).await;
    case.check_database().await;
}
