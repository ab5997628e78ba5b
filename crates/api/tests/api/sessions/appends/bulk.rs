//! Bulk bodies that add to sessions: `on_conflict=append`, a verdict a line.

use serde_json::{Value, json};
use time_series_testkit::{Answer, Backend};
use uuid::Uuid;

use super::{Case, START, hr, told};
use crate::common::{points_of, session};
use crate::on_both_servers;

on_both_servers![
    lines_add_to_sessions_and_make_them,
    lines_of_one_session_are_its_parts,
    what_does_not_fit_is_refused_alone,
    many_parts_of_many_sessions_end_up_whole,
];

const PATH: &str = "/api/sessions/bulk/?on_conflict=append";

/// Verdicts, and the end record.
fn verdicts(answer: &Answer) -> (Vec<Value>, Value) {
    let mut all: Vec<Value> = answer
        .text
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON a line"))
        .collect();
    let end = all.pop().expect("an end record");
    assert_eq!(end["end"], true, "{end}");
    (all, end)
}

async fn bulk(case: &Case, lines: &[Value]) -> (Vec<Value>, Value) {
    let body: Vec<String> = lines.iter().map(Value::to_string).collect();
    verdicts(&case.app.post_text(PATH, &body.join("\n")).await.expect(200))
}

#[track_caller]
fn assert_totals(end: &Value, expected: &[(&str, u64)]) {
    for name in [
        "lines",
        "created",
        "unchanged",
        "ignored",
        "replaced",
        "appended",
        "failed",
    ] {
        let expected = expected
            .iter()
            .find(|(n, _)| *n == name)
            .map_or(0, |(_, n)| *n);
        assert_eq!(end[name], expected, "{name}: {end}");
    }
}

async fn lines_add_to_sessions_and_make_them(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let new = Uuid::new_v4();
    let lines = [
        case.body(&[hr(10, 2.0), hr(5, 3.0)]),
        session(case.user, new, START, &[hr(0, 4.0)]),
        json!({"user_id": case.user, "session_id": case.id, "data": [hr(7, 5.0)]}),
        case.body(&[hr(0, 1.0)]),
    ];
    let (all, end) = bulk(&case, &lines).await;
    let what = |v: &Value| {
        (
            v["line"].as_u64(),
            v["status"].as_u64(),
            told(v).0,
            told(v).1,
            told(v).2,
        )
    };
    let expected = [
        (Some(1), Some(200), "appended".to_owned(), 2, 3),
        (Some(2), Some(201), "created".to_owned(), 1, 1),
        (Some(3), Some(200), "appended".to_owned(), 1, 4),
        (Some(4), Some(200), "unchanged".to_owned(), 1, 4),
    ];
    assert_eq!(all.iter().map(what).collect::<Vec<_>>(), expected);
    assert_totals(
        &end,
        &[
            ("lines", 4),
            ("created", 1),
            ("appended", 2),
            ("unchanged", 1),
        ],
    );
    // Sent again, it is all there.
    let (all, end) = bulk(&case, &lines).await;
    assert!(all.iter().all(|v| v["outcome"] == "unchanged"), "{all:?}");
    assert_totals(&end, &[("lines", 4), ("unchanged", 4)]);
    assert_eq!(case.scores().await.len(), 4);
    assert_eq!(points_of(&case.app, case.user).await, 5);
    case.end().await;
}

async fn lines_of_one_session_are_its_parts(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let id = Uuid::new_v4();
    let user = Uuid::new_v4();
    let lines: Vec<Value> = (0..200_i32)
        .map(|i| session(user, id, START, &[hr(10, i.into())]))
        .collect();
    let (all, end) = bulk(&case, &lines).await;
    assert_totals(&end, &[("lines", 200), ("created", 1), ("appended", 199)]);
    for (i, verdict) in all.iter().enumerate() {
        let (_, points, total, version) = told(verdict);
        assert_eq!(
            (points, total, version),
            (1, i as u64 + 1, i as u64 + 1),
            "{verdict}"
        );
    }
    // All of one time, in the order of their lines.
    let case = Case { user, id, ..case };
    let expected: Vec<(i64, f64)> = (0..200_i32).map(|i| (10, i.into())).collect();
    case.assert_scores(&expected).await;
    case.end().await;
}

async fn what_does_not_fit_is_refused_alone(backend: Backend) {
    let case = Case::new(backend, &[hr(0, 1.0)]).await;
    let lines = [
        case.body(&[hr(1, 2.0)]),
        session(case.user, case.id, "2025-01-01T00:00:01Z", &[hr(2, 2.0)]),
        case.body(&[hr(3, 2.0), hr(90 * 86_400, 2.0)]),
        case.body(&[hr(4, 2.0)]),
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
    assert_totals(&end, &[("lines", 4), ("appended", 2), ("failed", 2)]);
    case.assert_scores(&[(0, 1.0), (1, 2.0), (4, 2.0)]).await;
    case.end().await;
}

async fn many_parts_of_many_sessions_end_up_whole(backend: Backend) {
    let case = Case::new(backend, &[]).await;
    let users = [case.user, Uuid::new_v4(), Uuid::new_v4()];
    let ids: Vec<(Uuid, Uuid)> = (0..12).map(|i| (users[i % 3], Uuid::new_v4())).collect();
    // 40 parts each, across days and out of order, all sessions mixed.
    let part = |i: i64, n: usize| {
        let (user, id) = ids[n];
        let value = f64::from(u32::try_from(n).expect("small"));
        session(
            user,
            id,
            START,
            &[
                hr(i * 7_919 % 200_000, value),
                hr(i * 104_729 % 200_000, value),
            ],
        )
    };
    let lines: Vec<Value> = (0..40)
        .flat_map(|i| (0..12).map(move |n| (i, n)))
        .map(|(i, n)| part(i, n))
        .collect();
    let (_, end) = bulk(&case, &lines).await;
    assert_totals(&end, &[("lines", 480), ("created", 12), ("appended", 468)]);
    assert_eq!(end["points"], 960);
    for user in users {
        assert_eq!(points_of(&case.app, user).await, 320);
    }
    let (_, end) = bulk(&case, &lines).await;
    assert_totals(&end, &[("lines", 480), ("unchanged", 480)]);
    case.end().await;
}
