//! Sessions to which a file returns, and files that are sent again.

use serde_json::json;
use time_series_testkit::Backend;
use uuid::Uuid;

use super::Case;
use crate::common::{SCORE, point, points_of};
use crate::on_both_servers;
use crate::sessions::bulk_result::BulkResult;

on_both_servers![
    a_session_that_reappears_in_a_file_is_a_conflict,
    a_session_that_reappears_is_appended_to_under_append,
    the_last_run_of_rows_replaces_or_is_ignored,
    a_file_sent_again_is_unchanged,
    one_id_of_two_users_is_two_sessions,
    csv_and_json_are_one_session,
    csv_appends_to_stored_sessions,
];

const HEADER: &str = "user_id,session_id,start_ts,series,time,value";
const MIXED: [&str; 6] = [
    HEADER,
    "U,S0,2025-01-01T00:00:00Z,session.gut_health_score,2025-01-01T00:00:01Z,1",
    "U,S0,2025-01-01T00:00:00Z,session.gut_health_score,2025-01-01T00:00:03Z,3",
    "U,S1,2025-01-01T00:00:00Z,session.gut_health_score,2025-01-01T00:00:01Z,5",
    "U,S0,2025-01-01T00:00:00Z,session.gut_health_score,2025-01-01T00:00:02Z,2",
    "U,S1,,session.gut_health_score,2025-01-01T00:00:01Z,4",
];

async fn a_session_that_reappears_in_a_file_is_a_conflict(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case.send(&MIXED).await;
    let expected = [
        (2, 201, "created"),
        (4, 201, "created"),
        (5, 409, "session_conflict"),
        (6, 409, "session_conflict"),
    ];
    assert_eq!(result.outcomes(), expected);
    result.assert_end(&[("created", 2), ("failed", 2)], 3);
    case.assert_points(
        0,
        &[
            (SCORE, 1, json!({"value": 1})),
            (SCORE, 3, json!({"value": 3})),
        ],
    )
    .await;
    // The same rows again are the same session.
    let result = case
        .send(&[MIXED[0], MIXED[1], MIXED[2], MIXED[3], MIXED[1], MIXED[2]])
        .await;
    assert_eq!(
        result.outcomes(),
        [
            (2, 200, "unchanged"),
            (4, 200, "unchanged"),
            (5, 200, "unchanged")
        ]
    );
    case.check_database().await;
}

async fn a_session_that_reappears_is_appended_to_under_append(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case.send_with("?on_conflict=append", &MIXED).await;
    let expected = [
        (2, 201, "created"),
        (4, 201, "created"),
        (5, 200, "appended"),
        (6, 200, "appended"),
    ];
    assert_eq!(result.outcomes(), expected);
    result.assert_end(&[("created", 2), ("appended", 2)], 5);
    assert_eq!(
        (
            &result.verdicts[2]["points"],
            &result.verdicts[2]["total_points"]
        ),
        (&json!(1), &json!(3))
    );
    let value = |v: u32| json!({"value": v});
    case.assert_points(
        0,
        &[
            (SCORE, 1, value(1)),
            (SCORE, 2, value(2)),
            (SCORE, 3, value(3)),
        ],
    )
    .await;
    case.assert_points(1, &[(SCORE, 1, value(5)), (SCORE, 1, value(4))])
        .await;
    let result = case.send_with("?on_conflict=append", &MIXED).await;
    assert!(
        result.verdicts.iter().all(|v| v["outcome"] == "unchanged"),
        "{:?}",
        result.verdicts
    );
    assert_eq!(points_of(&case.app, case.user).await, 5);
    case.check_database().await;
}

async fn the_last_run_of_rows_replaces_or_is_ignored(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case.send_with("?on_conflict=ignore", &MIXED).await;
    result.assert_end(
        &[("created", 2), ("ignored", 2)],
        result.end["points"].as_u64().expect("points"),
    );
    assert_eq!(case.points(0).await.len(), 2);
    let result = case.send_with("?on_conflict=replace", &MIXED).await;
    assert_eq!(
        result.outcomes()[2..],
        [(5, 200, "replaced"), (6, 200, "replaced")]
    );
    case.assert_points(0, &[(SCORE, 2, json!({"value": 2}))])
        .await;
    case.assert_points(1, &[(SCORE, 1, json!({"value": 4}))])
        .await;
    case.check_database().await;
}

async fn a_file_sent_again_is_unchanged(backend: Backend) {
    let case = Case::new(backend).await;
    let row = |i: usize| {
        format!(
            "U,S{},,session.gut_health_score,2025-01-01T00:00:{:02}Z,{i}",
            i / 10,
            i % 10
        )
    };
    let rows: Vec<String> = (0..80).map(row).collect();
    let mut lines = vec![HEADER];
    lines.extend(rows.iter().map(String::as_str));
    // Truncated in the middle of a session, as an upload may be.
    case.send(&lines[..45])
        .await
        .assert_end(&[("created", 5)], 44);
    let result = case.send(&lines).await;
    let outcomes: Vec<&str> = result
        .outcomes()
        .iter()
        .map(|(_, _, outcome)| *outcome)
        .collect();
    let expected = [
        "unchanged",
        "unchanged",
        "unchanged",
        "unchanged",
        "session_conflict",
        "created",
        "created",
        "created",
    ];
    assert_eq!(outcomes, expected);
    let result = case.send_with("?on_conflict=replace", &lines).await;
    assert_eq!(
        (&result.end["unchanged"], &result.end["replaced"]),
        (&json!(7), &json!(1))
    );
    for policy in ["error", "ignore", "replace", "append"] {
        let result = case
            .send_with(&format!("?on_conflict={policy}"), &lines)
            .await;
        assert_eq!(
            (&result.end["lines"], &result.end["unchanged"]),
            (&json!(8), &json!(8)),
            "{policy}: {}",
            result.end
        );
    }
    assert_eq!(points_of(&case.app, case.user).await, 80);
    case.check_database().await;
}

async fn one_id_of_two_users_is_two_sessions(backend: Backend) {
    let case = Case::new(backend).await;
    let other = Uuid::new_v4();
    let theirs = format!("{other},S0,,session.gut_health_score,2025-01-01T00:00:01Z,2");
    let mine = "U,S0,,session.gut_health_score,2025-01-01T00:00:01Z,1";
    let result = case.send(&[HEADER, mine, &theirs]).await;
    assert_eq!(
        result.outcomes(),
        [(2, 201, "created"), (3, 201, "created")]
    );
    assert_eq!(
        (
            &result.verdicts[0]["user_id"],
            &result.verdicts[1]["user_id"]
        ),
        (&json!(case.user), &json!(other))
    );
    assert_eq!(
        (
            points_of(&case.app, case.user).await,
            points_of(&case.app, other).await
        ),
        (1, 1)
    );
    case.check_database().await;
}

async fn csv_and_json_are_one_session(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case.send(&MIXED[..4]).await;
    assert_eq!(
        result.outcomes(),
        [(2, 201, "created"), (4, 201, "created")]
    );
    let point = |second: u32, value: u32| {
        point(
            SCORE,
            &format!("2025-01-01T00:00:{second:02}Z"),
            &json!({"value": value}),
        )
    };
    let body = json!({
        "user_id": case.user, "session_id": case.ids[0], "start_ts": "2025-01-01T00:00:00Z",
        "data": [point(3, 3), point(1, 1)],
    });
    let again = case
        .app
        .post("/api/sessions/", &body)
        .await
        .expect(200)
        .json();
    assert_eq!(again["outcome"], "unchanged");
    let result = BulkResult::read(&case.app.post_text(super::PATH, &body.to_string()).await);
    assert_eq!(result.outcomes(), [(1, 200, "unchanged")]);
    case.check_database().await;
}

async fn csv_appends_to_stored_sessions(backend: Backend) {
    let case = Case::new(backend).await;
    let _ = case.send(&MIXED[..4]).await;
    let path = format!("/api/sessions/{}/points/", case.ids[0]);
    let point = point(SCORE, "2025-01-01T00:00:09Z", &json!({"value": 9}));
    let _ = case
        .app
        .post(&path, &json!({"data": [point]}))
        .await
        .expect(200);
    let result = case
        .send_with(
            "?on_conflict=append",
            &[
                HEADER,
                "U,S0,,session.gut_health_score,2025-01-01T00:00:09Z,9",
                "U,S1,,session.gut_health_score,2025-01-01T00:00:02Z,7",
                "U,S1,,session.gut_health_score,2025-01-01T00:00:00Z,6",
                "U,S0,2025-01-01T00:00:01Z,session.gut_health_score,2025-01-01T00:00:04Z,4",
            ],
        )
        .await;
    assert_eq!(
        result.outcomes(),
        [
            (2, 200, "unchanged"),
            (3, 200, "appended"),
            (5, 409, "append_conflict")
        ]
    );
    let value = |v: u32| json!({"value": v});
    case.assert_points(
        0,
        &[
            (SCORE, 1, value(1)),
            (SCORE, 3, value(3)),
            (SCORE, 9, value(9)),
        ],
    )
    .await;
    case.assert_points(
        1,
        &[
            (SCORE, 0, value(6)),
            (SCORE, 1, value(5)),
            (SCORE, 2, value(7)),
        ],
    )
    .await;
    case.check_database().await;
}
