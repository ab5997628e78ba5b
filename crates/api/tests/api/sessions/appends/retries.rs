//! Without a key, the same points in any spelling change nothing; other points are added.

use serde_json::{Value, json};
use time_series_testkit::Backend;
use uuid::Uuid;

use super::{Case, START, Stored, assert_receipt, at, color_at, score_at};
use crate::common::{SCORE, assert_problem, point};
use crate::on_both_servers;

on_both_servers![
    a_repeated_append_is_unchanged,
    an_append_is_the_same_with_and_without_the_start,
    a_retry_of_the_first_post_may_omit_the_start,
    repeating_the_first_post_is_a_retry,
    spelling_makes_no_difference,
    different_points_are_added,
    the_format_of_an_append_makes_no_difference,
    a_retry_of_any_append_is_recognised_at_any_time,
];

async fn a_repeated_append_is_unchanged(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part = [score_at(10, 2.0), score_at(5, 3.0)];
    assert_receipt(
        &case.append(&part).await,
        &Stored {
            outcome: "appended",
            points: 2,
            total_points: 3,
            version: 2,
        },
    );
    for _ in 0..3 {
        assert_receipt(
            &case.append(&part).await,
            &Stored {
                outcome: "unchanged",
                points: 2,
                total_points: 3,
                version: 2,
            },
        );
    }
    case.assert_scores(&[(0, 1.0), (5, 3.0), (10, 2.0)]).await;
    case.check_database().await;
}

/// The start may be omitted or be the stored one: the points are the same.
async fn an_append_is_the_same_with_and_without_the_start(backend: Backend) {
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
    assert_receipt(
        &case.send(&case.path(), &case.body(&part), &[]).await,
        &Stored {
            outcome: "unchanged",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    let later = [score_at(11, 2.0)];
    assert_receipt(
        &case.post("append", &later).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 3,
            version: 3,
        },
    );
    assert_receipt(
        &case.append(&later).await,
        &Stored {
            outcome: "unchanged",
            points: 1,
            total_points: 3,
            version: 3,
        },
    );
    case.assert_scores(&[(0, 1.0), (10, 2.0), (11, 2.0)]).await;
    case.check_database().await;
}

async fn a_retry_of_the_first_post_may_omit_the_start(backend: Backend) {
    let first = [score_at(0, 1.0), score_at(1, 2.0)];
    let case = Case::new(backend, &first).await;
    assert_receipt(
        &case.append(&first).await,
        &Stored {
            outcome: "unchanged",
            points: 2,
            total_points: 2,
            version: 1,
        },
    );
    case.assert_scores(&[(0, 1.0), (1, 2.0)]).await;
    case.check_database().await;
}

async fn repeating_the_first_post_is_a_retry(backend: Backend) {
    let first = [score_at(0, 1.0), score_at(1, 2.0)];
    let case = Case::new(backend, &first).await;
    assert_receipt(
        &case.send(&case.path(), &case.body(&first), &[]).await,
        &Stored {
            outcome: "unchanged",
            points: 2,
            total_points: 2,
            version: 1,
        },
    );
    assert_receipt(
        &case.append(&[score_at(2, 3.0)]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 3,
            version: 2,
        },
    );
    // This also applies after an append, and to the original session.
    assert_receipt(
        &case.send(&case.path(), &case.body(&first), &[]).await,
        &Stored {
            outcome: "unchanged",
            points: 2,
            total_points: 3,
            version: 2,
        },
    );
    assert_receipt(
        &case.post("append", &first).await,
        &Stored {
            outcome: "unchanged",
            points: 2,
            total_points: 3,
            version: 2,
        },
    );
    assert_receipt(
        &case.post("error", &first).await,
        &Stored {
            outcome: "unchanged",
            points: 2,
            total_points: 3,
            version: 2,
        },
    );
    case.assert_scores(&[(0, 1.0), (1, 2.0), (2, 3.0)]).await;
    case.check_database().await;
}

async fn spelling_makes_no_difference(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part = r#"{"data": [
        {"series": "session.gut_health_score", "time": "2025-01-01T00:00:10.5Z", "value": {"value": 7}},
        {"series": "session.gut_health_score", "time": "2025-01-01T00:00:12Z", "value": {"value": 0.1, "note": {"a": 100, "b": [1, 2]}}},
        {"series": "session.urine.color", "time": "2025-01-01T00:00:11Z", "value": {"r": 1, "g": 2, "b": 3}}
    ]}"#;
    assert_receipt(
        &case.app.post_text(&case.path(), part).await,
        &Stored {
            outcome: "appended",
            points: 3,
            total_points: 4,
            version: 2,
        },
    );
    let changes = [
        (r#"{"value": 7}"#, r#"{"value": 7.0}"#),
        (r#"{"value": 7}"#, r#"{"value": 0.7e1}"#),
        (r#""a": 100"#, r#""a": 1E+2"#),
        ("0.1", "1.00e-1"),
        ("2025-01-01T00:00:12Z", "2025-01-01T05:30:12+05:30"),
        ("2025-01-01T00:00:12Z", "2024-12-31T23:00:12.000000-01:00"),
        ("00:00:10.5Z", "00:00:10.500000Z"),
        (r#"{"r": 1, "g": 2, "b": 3}"#, r#"{"b":3.0,"g":2,"r":1e0}"#),
        ("session.urine.color", r"session.urine.col\u006fr"),
        (
            r#"{"data""#,
            r#"{"start_ts": null, "session_id": null, "data""#,
        ),
    ];
    for (from, to) in changes {
        assert!(part.contains(from), "{from}");
        let response = case
            .app
            .post_text(&case.path(), &part.replace(from, to))
            .await
            .expect(200);
        assert_eq!(response.receipt().outcome, "unchanged", "{to}");
    }
    let mut reversed: Value = serde_json::from_str(part).expect("JSON");
    reversed["data"].as_array_mut().expect("points").reverse();
    assert_receipt(
        &case.app.post(&case.path(), &reversed).await,
        &Stored {
            outcome: "unchanged",
            points: 3,
            total_points: 4,
            version: 2,
        },
    );
    case.check_database().await;
}

async fn different_points_are_added(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part = [score_at(10, 1.0), score_at(10, 2.0), score_at(20, 0.0)];
    assert_receipt(
        &case.append(&part).await,
        &Stored {
            outcome: "appended",
            points: 3,
            total_points: 4,
            version: 2,
        },
    );
    let others: [&[Value]; 8] = [
        &part[..2],
        &[score_at(10, 2.0), score_at(10, 1.0), score_at(20, 0.0)],
        &[score_at(10, 1.0), score_at(10, 2.0), score_at(20, -0.0)],
        &[
            score_at(10, 1.0),
            score_at(10, 2.0),
            score_at(20, 0.0),
            score_at(20, 0.0),
        ],
        &[score_at(10, 1.0), score_at(10, 2.0), score_at(21, 0.0)],
        &[
            score_at(0, 1.0),
            score_at(10, 1.0),
            score_at(10, 2.0),
            score_at(20, 0.0),
        ],
        &[point(SCORE, &at(20), &json!({"value": 0, "note": null}))],
        &[color_at(10, 1.0, 1.0, 1.0)],
    ];
    let mut total = 4;
    for (number, other) in others.into_iter().enumerate() {
        total += other.len() as u64;
        assert_receipt(
            &case.append(other).await,
            &Stored {
                outcome: "appended",
                points: other.len() as u64,
                total_points: total,
                version: number as u64 + 3,
            },
        );
    }
    assert_eq!(case.record().await["points"], total);
    case.check_database().await;
}

async fn the_format_of_an_append_makes_no_difference(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let part = [score_at(10, 2.0)];
    assert_receipt(
        &case.send(&case.path(), &case.body(&part), &[]).await,
        &Stored {
            outcome: "appended",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    assert_receipt(
        &case.post("append", &part).await,
        &Stored {
            outcome: "unchanged",
            points: 1,
            total_points: 2,
            version: 2,
        },
    );
    let line = case.body(&part).to_string();
    let response = case
        .app
        .post_text("/api/sessions/bulk/?on_conflict=append", &line)
        .await
        .expect(200);
    assert!(
        response.text.contains(r#""outcome":"unchanged""#),
        "{}",
        response.text
    );
    assert_problem(&case.post("error", &part).await, 409, "session_conflict");
    case.assert_scores(&[(0, 1.0), (10, 2.0)]).await;
    case.check_database().await;
}

async fn a_retry_of_any_append_is_recognised_at_any_time(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 0.0)]).await;
    let parts: Vec<[Value; 2]> = (1..30)
        .map(|i| {
            [
                score_at(i64::from(i) * 7 % 31, i.into()),
                score_at(i64::from(i), f64::from(i) / 4.0),
            ]
        })
        .collect();
    for part in &parts {
        let _ = case.append(part).await.expect(200);
    }
    for part in parts.iter().rev().chain(&parts) {
        assert_receipt(
            &case.append(part).await,
            &Stored {
                outcome: "unchanged",
                points: 2,
                total_points: 59,
                version: 30,
            },
        );
    }
    // The same points in another session, or of another user, are another append.
    for user in [case.user, Uuid::new_v4()] {
        let body = json!({"user_id": user, "start_ts": START, "data": []});
        let made = case
            .app
            .post("/api/sessions/", &body)
            .await
            .expect(201)
            .json();
        let path = format!(
            "/api/sessions/{}/points/",
            made["session_id"].as_str().expect("an id")
        );
        let response = case
            .app
            .post(&path, &json!({"data": parts[0]}))
            .await
            .expect(200);
        assert_eq!(response.receipt().outcome, "appended");
    }
    case.check_database().await;
}
