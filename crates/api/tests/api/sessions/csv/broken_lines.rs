//! An unreadable line rejects the sessions beside it, and no others.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::Case;
use crate::common::sessions_of;
use crate::on_both_servers;
use crate::sessions::bulk_result::BulkResult;

on_both_servers![
    a_line_that_is_not_utf_8_is_broken,
    an_unterminated_quote_breaks_its_line,
    a_line_break_within_a_cell_breaks_the_line,
    an_overlong_line_is_broken,
    a_row_without_cells_for_its_ids_is_broken,
    a_broken_line_within_a_session_rejects_the_session,
    a_short_row_within_a_session_rejects_the_session,
    broken_lines_at_both_ends_of_a_file_reject_one_session_each,
    a_session_above_the_body_limit_is_stored_atomically,
];

const HEADER: &str = "user_id,session_id,series,time,value,start_ts";

fn row(session: usize, second: u32) -> String {
    format!("U,S{session},session.gut_health_score,2025-01-01T00:00:{second:02}Z,1,")
}

fn rows(all: &[(usize, u32)]) -> Vec<String> {
    all.iter()
        .map(|(session, second)| row(*session, *second))
        .collect()
}

/// A service with limits on the length of bodies and lines.
async fn with_limit(backend: Backend, bytes: usize) -> Case {
    let app = TestApp::with(backend).max_body_bytes(bytes).start().await;
    app.seed().await;
    Case {
        app,
        user: Uuid::new_v4(),
        ids: (0..8).map(|_| Uuid::new_v4()).collect(),
    }
}

impl Case {
    /// Posts the rows with bytes in the middle.
    async fn send_broken(
        &self,
        before: &[(usize, u32)],
        broken: &[u8],
        after: &[(usize, u32)],
    ) -> BulkResult {
        let text = |rows: Vec<String>| {
            self.text(&rows.iter().map(String::as_str).collect::<Vec<_>>())
                .into_bytes()
        };
        let first = [vec![HEADER.to_owned()], rows(before)].concat();
        let result = BulkResult::read(
            &self
                .post(
                    "",
                    &[&text(first), broken, b"\n", &text(rows(after))].concat(),
                )
                .await,
        );
        assert_eq!(result.end["end"], true, "{}", result.end);
        result
    }
}

/// Bytes between the rows of two sessions reject both, but not the sessions before and after them.
async fn assert_broken(case: Case, broken: &[u8]) {
    let result = case
        .send_broken(
            &[(0, 1), (0, 2), (1, 1), (1, 2)],
            broken,
            &[(2, 1), (2, 2), (3, 1), (3, 2)],
        )
        .await;
    let place = String::from_utf8_lossy(broken);
    assert_eq!(result.end["created"], 2, "{place:?}: {:?}", result.verdicts);
    for session in [0, 3] {
        assert_eq!(case.points(session).await.len(), 2, "{place:?}");
    }
    for session in [1, 2] {
        case.assert_absent(session).await;
    }
    let status = |line: u64| {
        result
            .verdicts
            .iter()
            .find(|v| v["line"] == line)
            .map(|v| v["status"].clone())
    };
    assert_eq!(
        (status(2), status(9)),
        (Some(json!(201)), Some(json!(201))),
        "{:?}",
        result.verdicts
    );
    for line in [4, 7] {
        assert!(
            status(line).is_some_and(|s| s != 201),
            "{place:?}, line {line}: {:?}",
            result.verdicts
        );
    }
    assert_eq!(
        result.end["failed"].as_u64(),
        Some(result.verdicts.len() as u64 - 2),
        "{:?}",
        result.verdicts
    );
    case.check_database().await;
}

async fn a_line_that_is_not_utf_8_is_broken(backend: Backend) {
    for broken in [b"\xff".as_slice(), b"U,S1,\xc3,2025-01-01T00:00:01Z,1,"] {
        assert_broken(Case::new(backend).await, broken).await;
    }
}

async fn an_unterminated_quote_breaks_its_line(backend: Backend) {
    for broken in [
        "\"",
        "U,S1,\"session.gut_health_score,2025-01-01T00:00:01Z,1,",
    ] {
        assert_broken(Case::new(backend).await, broken.as_bytes()).await;
    }
}

/// The text after the line break is a line of its own.
async fn a_line_break_within_a_cell_breaks_the_line(backend: Backend) {
    let case = Case::new(backend).await;
    let broken = b"U,S1,\"session.gut\n_health_score\",2025-01-01T00:00:01Z,1,";
    let result = case
        .send_broken(&[(0, 1), (1, 1)], broken, &[(2, 1), (3, 1)])
        .await;
    assert_eq!(
        (case.points(0).await.len(), case.points(3).await.len()),
        (1, 1),
        "{:?}",
        result.verdicts
    );
    case.assert_absent(1).await;
    case.check_database().await;
}

async fn an_overlong_line_is_broken(backend: Backend) {
    assert_broken(with_limit(backend, 2_000).await, &[b'x'; 5_000]).await;
}

async fn a_row_without_cells_for_its_ids_is_broken(backend: Backend) {
    assert_broken(Case::new(backend).await, b"broken").await;
}

/// Sends a session with the bytes in it, between two others; then the corrected file.
async fn assert_broken_within_session(backend: Backend, broken: &[u8]) {
    let case = Case::new(backend).await;
    let result = case
        .send_broken(&[(0, 1), (1, 1)], broken, &[(1, 2), (2, 1)])
        .await;
    case.assert_absent(1).await;
    assert_eq!(result.end["created"], 2, "{:?}", result.verdicts);
    assert_eq!(sessions_of(&case.app, case.user).await.len(), 2);
    let mended = [
        vec![HEADER.to_owned()],
        rows(&[(0, 1), (1, 1), (1, 2), (2, 1)]),
    ]
    .concat();
    let result = case
        .send(&mended.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    assert_eq!(
        result.outcomes(),
        [
            (2, 200, "unchanged"),
            (3, 201, "created"),
            (5, 200, "unchanged")
        ]
    );
    case.check_database().await;
}

async fn a_broken_line_within_a_session_rejects_the_session(backend: Backend) {
    assert_broken_within_session(backend, b"\xff\xfe").await;
}

async fn a_short_row_within_a_session_rejects_the_session(backend: Backend) {
    assert_broken_within_session(backend, b"broken").await;
}

async fn broken_lines_at_both_ends_of_a_file_reject_one_session_each(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case.send_broken(&[], b"\xff", &[(0, 1), (1, 1)]).await;
    assert_eq!(result.end["created"], 1, "{:?}", result.verdicts);
    case.assert_absent(0).await;
    let result = case.send_broken(&[(2, 1), (3, 1)], b"\xff", &[]).await;
    assert_eq!(result.end["created"], 1, "{:?}", result.verdicts);
    case.assert_absent(3).await;
    let result = case.send_broken(&[], b"\xff", &[]).await;
    assert_eq!(
        (&result.end["created"], result.end["failed"] == 0),
        (&json!(0), false),
        "{:?}",
        result.verdicts
    );
    case.check_database().await;
}

/// A session of many short rows.
async fn a_session_above_the_body_limit_is_stored_atomically(backend: Backend) {
    let case = with_limit(backend, 2_000).await;
    let long: Vec<(usize, u32)> = (0..60).map(|second| (1, second)).collect();
    let all = [
        vec![HEADER.to_owned(), row(0, 1)],
        rows(&long),
        vec![row(2, 1)],
    ]
    .concat();
    let result = case
        .send(&all.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    assert_eq!(result.end["end"], true, "{}", result.end);
    let expected = match result.outcomes()[..] {
        [
            (2, 201, "created"),
            (3, 201, "created"),
            (63, 201, "created"),
        ] => 60,
        [
            (2, 201, "created"),
            (3, 413, "body_too_large"),
            (63, 201, "created"),
        ] => 0,
        _ => usize::MAX,
    };
    let listed = case
        .app
        .get(&format!(
            "/api/points/?user_id={}&session_id={}",
            case.user, case.ids[1]
        ))
        .await;
    let stored = crate::common::results(&listed.expect(200)).len();
    assert_eq!(stored, expected, "{:?}", result.verdicts);
    case.check_database().await;
}
