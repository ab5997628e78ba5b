//! Without a key, the same points again change nothing, however they are spelled; other points are added.

use serde_json::{Value, json};
use time_series_testkit::Backend;
use uuid::Uuid;

use super::{Case, START, assert_told, at, hr, rgb};
use crate::common::{SCORE, assert_problem, point};
use crate::on_both_servers;

on_both_servers![
    a_part_sent_again_is_unchanged,
    a_part_is_the_same_with_the_start_and_without,
    the_first_post_is_the_same_without_the_start,
    the_first_post_counts,
    spelling_makes_no_difference,
    what_differs_is_added,
    the_way_a_part_came_makes_no_difference,
    a_retry_of_any_part_is_known_at_any_time,
];

async fn a_part_sent_again_is_unchanged(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let part = [hr(10, 2.0), hr(5, 3.0)];
    assert_told(&case.append(&part).await, "appended", 2, 3, 2);
    for _ in 0..3 {
        assert_told(&case.append(&part).await, "unchanged", 2, 3, 2);
    }
    case.assert_scores(&[(0, 1.0), (5, 3.0), (10, 2.0)]).await;
    case.end().await;
}

/// The start may be left out or be the stored one: the points are the same.
async fn a_part_is_the_same_with_the_start_and_without(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let part = [hr(10, 2.0)];
    assert_told(&case.append(&part).await, "appended", 1, 2, 2);
    assert_told(
        &case.send(&case.path(), &case.body(&part), &[]).await,
        "unchanged",
        1,
        2,
        2,
    );
    let later = [hr(11, 2.0)];
    assert_told(&case.post("append", &later).await, "appended", 1, 3, 3);
    assert_told(&case.append(&later).await, "unchanged", 1, 3, 3);
    case.assert_scores(&[(0, 1.0), (10, 2.0), (11, 2.0)]).await;
    case.end().await;
}

async fn the_first_post_is_the_same_without_the_start(backend: Backend) {
    let first = [hr(0, 1.0), hr(1, 2.0)];
    let case = Case::new(backend, &first).await;
    assert_told(&case.append(&first).await, "unchanged", 2, 2, 1);
    case.assert_scores(&[(0, 1.0), (1, 2.0)]).await;
    case.end().await;
}

async fn the_first_post_counts(backend: Backend) {
    let first = [hr(0, 1.0), hr(1, 2.0)];
    let case = Case::new(backend, &first).await;
    assert_told(
        &case.send(&case.path(), &case.body(&first), &[]).await,
        "unchanged",
        2,
        2,
        1,
    );
    assert_told(&case.append(&[hr(2, 3.0)]).await, "appended", 1, 3, 2);
    // Also after it was added to, and as the session that it was.
    assert_told(
        &case.send(&case.path(), &case.body(&first), &[]).await,
        "unchanged",
        2,
        3,
        2,
    );
    assert_told(&case.post("append", &first).await, "unchanged", 2, 3, 2);
    assert_told(&case.post("error", &first).await, "unchanged", 2, 3, 2);
    case.assert_scores(&[(0, 1.0), (1, 2.0), (2, 3.0)]).await;
    case.end().await;
}

async fn spelling_makes_no_difference(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let part = r#"{"data": [
        {"series": "session.gut_health_score", "time": "2025-01-01T00:00:10.5Z", "value": {"value": 7}},
        {"series": "session.gut_health_score", "time": "2025-01-01T00:00:12Z", "value": {"value": 0.1, "note": {"a": 100, "b": [1, 2]}}},
        {"series": "session.urine.color", "time": "2025-01-01T00:00:11Z", "value": {"r": 1, "g": 2, "b": 3}}
    ]}"#;
    assert_told(
        &case.app.post_text(&case.path(), part).await,
        "appended",
        3,
        4,
        2,
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
        let answer = case
            .app
            .post_text(&case.path(), &part.replace(from, to))
            .await
            .expect(200);
        assert_eq!(answer.json()["outcome"], "unchanged", "{to}");
    }
    let mut reversed: Value = serde_json::from_str(part).expect("JSON");
    reversed["data"].as_array_mut().expect("points").reverse();
    assert_told(
        &case.app.post(&case.path(), &reversed).await,
        "unchanged",
        3,
        4,
        2,
    );
    case.end().await;
}

async fn what_differs_is_added(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let part = [hr(10, 1.0), hr(10, 2.0), hr(20, 0.0)];
    assert_told(&case.append(&part).await, "appended", 3, 4, 2);
    let others: [&[Value]; 8] = [
        &part[..2],
        &[hr(10, 2.0), hr(10, 1.0), hr(20, 0.0)],
        &[hr(10, 1.0), hr(10, 2.0), hr(20, -0.0)],
        &[hr(10, 1.0), hr(10, 2.0), hr(20, 0.0), hr(20, 0.0)],
        &[hr(10, 1.0), hr(10, 2.0), hr(21, 0.0)],
        &[hr(0, 1.0), hr(10, 1.0), hr(10, 2.0), hr(20, 0.0)],
        &[point(SCORE, &at(20), &json!({"value": 0, "note": null}))],
        &[rgb(10, 1.0, 1.0, 1.0)],
    ];
    let mut total = 4;
    for (number, other) in others.into_iter().enumerate() {
        total += other.len() as u64;
        assert_told(
            &case.append(other).await,
            "appended",
            other.len() as u64,
            total,
            number as u64 + 3,
        );
    }
    assert_eq!(case.record().await["points"], total);
    case.end().await;
}

async fn the_way_a_part_came_makes_no_difference(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let part = [hr(10, 2.0)];
    assert_told(
        &case.send(&case.path(), &case.body(&part), &[]).await,
        "appended",
        1,
        2,
        2,
    );
    assert_told(&case.post("append", &part).await, "unchanged", 1, 2, 2);
    let line = case.body(&part).to_string();
    let answer = case
        .app
        .post_text("/api/sessions/bulk/?on_conflict=append", &line)
        .await
        .expect(200);
    assert!(
        answer.text.contains(r#""outcome":"unchanged""#),
        "{}",
        answer.text
    );
    assert_problem(&case.post("error", &part).await, 409, "session_conflict");
    case.assert_scores(&[(0, 1.0), (10, 2.0)]).await;
    case.end().await;
}

async fn a_retry_of_any_part_is_known_at_any_time(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 0.0)]).await;
    let parts: Vec<[Value; 2]> = (1..30)
        .map(|i| {
            [
                hr(i64::from(i) * 7 % 31, i.into()),
                hr(i64::from(i), f64::from(i) / 4.0),
            ]
        })
        .collect();
    for part in &parts {
        let _ = case.append(part).await.expect(200);
    }
    for part in parts.iter().rev().chain(&parts) {
        assert_told(&case.append(part).await, "unchanged", 2, 59, 30);
    }
    // The same part of another session, and of another user, is another part.
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
        let answer = case
            .app
            .post(&path, &json!({"data": parts[0]}))
            .await
            .expect(200);
        assert_eq!(answer.json()["outcome"], "appended");
    }
    case.end().await;
}
