//! Bulk bodies that append to sessions: `on_conflict=append`, one verdict per line.

use serde_json::{Value, json};
use time_series_testkit::Backend;
use uuid::Uuid;

use super::{Case, START, Stored, receipt_of, score_at};
use crate::common::{points_of, session};
use crate::on_both_servers;
use crate::sessions::bulk_result::{BulkResult, Counts};

on_both_servers![
    bulk_append_creates_and_extends_sessions,
    several_lines_of_one_session_are_appends,
    only_the_invalid_session_is_rejected,
    interleaved_appends_of_many_sessions_are_complete,
];

const PATH: &str = "/api/sessions/bulk/?on_conflict=append";

async fn bulk(case: &Case, lines: &[Value]) -> (Vec<Value>, Value) {
    let body: Vec<String> = lines.iter().map(Value::to_string).collect();
    let response = case.app.post_text(PATH, &body.join("\n")).await;
    let BulkResult { verdicts, end } = BulkResult::read(&response);
    assert_eq!(end["end"], true, "{end}");
    (verdicts, end)
}

async fn bulk_append_creates_and_extends_sessions(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let new = Uuid::new_v4();
    let lines = [
        case.body(&[score_at(10, 2.0), score_at(5, 3.0)]),
        session(case.user, new, START, &[score_at(0, 4.0)]),
        json!({"user_id": case.user, "session_id": case.id, "data": [score_at(7, 5.0)]}),
        case.body(&[score_at(0, 1.0)]),
    ];
    let (all, end) = bulk(&case, &lines).await;
    let members = |v: &Value| {
        json!({
            "line": v["line"], "status": v["status"], "outcome": v["outcome"],
            "points": v["points"], "total_points": v["total_points"],
        })
    };
    let expected = [
        json!({"line": 1, "status": 200, "outcome": "appended", "points": 2, "total_points": 3}),
        json!({"line": 2, "status": 201, "outcome": "created", "points": 1, "total_points": 1}),
        json!({"line": 3, "status": 200, "outcome": "appended", "points": 1, "total_points": 4}),
        json!({"line": 4, "status": 200, "outcome": "unchanged", "points": 1, "total_points": 4}),
    ];
    assert_eq!(all.iter().map(members).collect::<Vec<_>>(), expected);
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 4,
            created: 1,
            appended: 2,
            unchanged: 1,
            ..Counts::default()
        }
    );
    // Sent again, all of it is stored already.
    let (all, end) = bulk(&case, &lines).await;
    assert!(all.iter().all(|v| v["outcome"] == "unchanged"), "{all:?}");
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 4,
            unchanged: 4,
            ..Counts::default()
        }
    );
    assert_eq!(case.scores().await.len(), 4);
    assert_eq!(points_of(&case.app, case.user).await, 5);
    case.check_database().await;
}

async fn several_lines_of_one_session_are_appends(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let id = Uuid::new_v4();
    let user = Uuid::new_v4();
    let lines: Vec<Value> = (0..200_i32)
        .map(|i| session(user, id, START, &[score_at(10, i.into())]))
        .collect();
    let (all, end) = bulk(&case, &lines).await;
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 200,
            created: 1,
            appended: 199,
            ..Counts::default()
        }
    );
    for (i, verdict) in all.iter().enumerate() {
        let receipt = receipt_of(verdict);
        let stored = Stored::of(&receipt);
        assert_eq!(
            (stored.points, stored.total_points, stored.version),
            (1, i as u64 + 1, i as u64 + 1),
            "{verdict}"
        );
    }
    // All points have one time, in the order of their lines.
    let case = Case { user, id, ..case };
    let expected: Vec<(i64, f64)> = (0..200_i32).map(|i| (10, i.into())).collect();
    case.assert_scores(&expected).await;
    case.check_database().await;
}

async fn only_the_invalid_session_is_rejected(backend: Backend) {
    let case = Case::new(backend, &[score_at(0, 1.0)]).await;
    let lines = [
        case.body(&[score_at(1, 2.0)]),
        session(
            case.user,
            case.id,
            "2025-01-01T00:00:01Z",
            &[score_at(2, 2.0)],
        ),
        case.body(&[score_at(3, 2.0), score_at(90 * 86_400, 2.0)]),
        case.body(&[score_at(4, 2.0)]),
    ];
    let (all, end) = bulk(&case, &lines).await;
    let codes: Vec<(Option<u64>, &str)> = all
        .iter()
        .map(|v| (v["status"].as_u64(), v["code"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        codes,
        [
            (Some(200), ""),
            (Some(409), "append_conflict"),
            (Some(422), "invalid_session"),
            (Some(200), "")
        ]
    );
    assert_eq!(all[2]["errors"][0]["pointer"], "/data/1/time", "{}", all[2]);
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 4,
            appended: 2,
            failed: 2,
            ..Counts::default()
        }
    );
    case.assert_scores(&[(0, 1.0), (1, 2.0), (4, 2.0)]).await;
    case.check_database().await;
}

async fn interleaved_appends_of_many_sessions_are_complete(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let users = [case.user, Uuid::new_v4(), Uuid::new_v4()];
    let ids: Vec<(Uuid, Uuid)> = (0..12).map(|i| (users[i % 3], Uuid::new_v4())).collect();
    // 40 appends per session, across days and out of order, with all sessions interleaved.
    let part = |i: i64, n: usize| {
        let (user, id) = ids[n];
        let value = f64::from(u32::try_from(n).expect("small"));
        session(
            user,
            id,
            START,
            &[
                score_at(i * 7_919 % 200_000, value),
                score_at(i * 104_729 % 200_000, value),
            ],
        )
    };
    let lines: Vec<Value> = (0..40)
        .flat_map(|i| (0..12).map(move |n| (i, n)))
        .map(|(i, n)| part(i, n))
        .collect();
    let (_, end) = bulk(&case, &lines).await;
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 480,
            created: 12,
            appended: 468,
            ..Counts::default()
        }
    );
    assert_eq!(end["points"], 960);
    for user in users {
        assert_eq!(points_of(&case.app, user).await, 320);
    }
    let (_, end) = bulk(&case, &lines).await;
    assert_eq!(
        Counts::of(&end),
        Counts {
            lines: 480,
            unchanged: 480,
            ..Counts::default()
        }
    );
    case.check_database().await;
}
