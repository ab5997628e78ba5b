//! Rows with faults: named by line and column, and they refuse their session and no other.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::{Case, Told};
use crate::common::{SCORE, sessions_of};
use crate::on_both_servers;

on_both_servers![
    faults_are_at_their_line_and_column,
    all_faults_of_a_session_are_named,
    a_wrong_number_of_cells_is_a_broken_line,
    a_broken_line_refuses_the_sessions_beside_it,
    ids_that_are_none_are_named,
    starts_that_differ_are_refused,
    points_outside_the_window_are_named,
    text_that_is_no_utf_8_is_a_broken_line,
    a_line_that_is_too_long_is_a_broken_line,
];

const HEADER: &str = "user_id,session_id,series,time,value,start_ts";
const GOOD: &str = "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1,";

async fn faults_are_at_their_line_and_column(backend: Backend) {
    let case = Case::new(backend).await;
    for (row, fault) in [
        ("U,S1,session.gut_health_score,2025-01-01T00:00:01Z,high,", "/3/value schema_violation"),
        ("U,S1,session.gut_health_score,2025-01-01T00:00:01Z,null,", "/3/value schema_violation"),
        ("U,S1,session.gut,2025-01-01T00:00:01Z,1,", "/3/series unknown_series"),
        ("U,S1,session.gut_health_score,2025-01-01,1,", "/3/time invalid_time"),
        ("U,S1,session.gut_health_score,yesterday,1,", "/3/time invalid_time"),
        ("U,S1,session.gut_health_score,2025-01-01T00:00:60Z,1,", "/3/time invalid_time"),
        ("U,S1,session.gut_health_score,2025-01-01T00:00:00.0000001Z,1,", "/3/time time_too_fine"),
        ("U,S1,session.gut_health_score,2199-01-01T00:00:00Z,1,", "/3/time implausible_time"),
        ("U,S1,session.gut_health_score,1969-12-31T00:00:00Z,1,", "/3/time implausible_time"),
        ("U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,soon", "/3/start_ts invalid_time"),
    ] {
        let told = case.send(&[HEADER, GOOD, row, "U,S2,session.gut_health_score,2025-01-01T00:00:01Z,1,"]).await;
        assert_eq!(told.all()[1], (3, 422, "invalid_session"), "{row}: {:?}", told.verdicts);
        assert_eq!(told.faults(1), [fault], "{row}: {}", told.verdicts[1]);
        assert_eq!((told.verdicts[0]["line"].as_u64(), told.verdicts[2]["line"].as_u64()), (Some(2), Some(4)));
        assert!(told.verdicts[0]["outcome"].is_string() && told.verdicts[2]["outcome"].is_string(), "{row}");
        case.assert_absent(1).await;
    }
    // What must be filled.
    for (row, column) in [
        ("U,S1,,2025-01-01T00:00:01Z,1,", "series"),
        ("U,S1,session.gut_health_score,,1,", "time"),
        ("U,S1,session.gut_health_score,2025-01-01T00:00:01Z,,", ""),
    ] {
        let told = case.send(&[HEADER, GOOD, row]).await;
        assert_eq!(told.all()[1], (3, 422, "invalid_session"), "{row}: {:?}", told.verdicts);
        assert!(
            told.faults(1)[0].starts_with(format!("/3/{column}").trim_end_matches('/')),
            "{row}: {:?}",
            told.faults(1)
        );
        assert_eq!(told.faults(1).len(), 1, "{row}: {:?}", told.faults(1));
        case.assert_absent(1).await;
    }
    case.end().await;
}

async fn all_faults_of_a_session_are_named(backend: Backend) {
    let case = Case::new(backend).await;
    let told = case
        .send(&[
            HEADER,
            GOOD,
            "U,S0,session.gut,2025-01-01T00:00:02Z,1,",
            "U,S0,session.gut_health_score,2025-01-01T00:00:03Z,1,",
            "U,S0,session.gut_health_score,noon,high,",
            "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,",
        ])
        .await;
    assert_eq!(told.all(), [(2, 422, "invalid_session"), (6, 201, "created")]);
    let mut faults = told.faults(0);
    faults.sort();
    assert_eq!(faults, ["/3/series unknown_series", "/5/time invalid_time", "/5/value schema_violation"]);
    assert_eq!(told.verdicts[0]["total_errors"], 3);
    case.assert_absent(0).await;
    // The first hundred are listed, all are counted.
    let mut lines = vec![HEADER];
    lines.extend(["U,S2,session.gut_health_score,2025-01-01T00:00:01Z,high,"; 150]);
    let told = case.send(&lines).await;
    assert_eq!((told.faults(0).len(), &told.verdicts[0]["total_errors"]), (100, &json!(150)));
    case.end().await;
}

async fn a_wrong_number_of_cells_is_a_broken_line(backend: Backend) {
    let case = Case::new(backend).await;
    for broken in [
        "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1",
        "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,,",
        "nonsense",
        "{\"user_id\":1}",
    ] {
        let told = case.send(&[HEADER, broken]).await;
        assert_eq!(told.verdicts.len(), 1, "{broken}: {:?}", told.verdicts);
        assert_eq!(told.verdicts[0]["line"], 2, "{broken}: {:?}", told.verdicts);
        let status = told.verdicts[0]["status"].as_u64().expect("a status");
        assert!([400, 422].contains(&status), "{broken}: {:?}", told.verdicts);
        told.assert_end(&[("failed", 1)], 0);
        case.assert_absent(1).await;
    }
    case.end().await;
}

/// The line may be of either neighbour; the sessions further on are none of its business.
async fn a_broken_line_refuses_the_sessions_beside_it(backend: Backend) {
    let row =
        |session: usize, second: u32| format!("U,S{session},session.gut_health_score,2025-01-01T00:00:{second:02}Z,1,");
    let before = [row(0, 1), row(0, 2), row(1, 1), row(1, 2)];
    let after = [row(2, 1), row(2, 2), row(3, 1), row(3, 2)];
    for broken in
        ["broken", "U,S1,session.gut_health_score,2025-01-01T00:00:01Z", "\"", "U,S1,\"a\nb\",2025-01-01T00:00:01Z,1,"]
    {
        let case = Case::new(backend).await;
        let rows = [vec![HEADER.to_owned()], before.to_vec(), vec![broken.to_owned()], after.to_vec()].concat();
        let told = case.send(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(
            (&told.end["end"], &told.end["created"]),
            (&json!(true), &json!(2)),
            "{broken:?}: {:?} {}",
            told.verdicts,
            told.end
        );
        assert_eq!(case.points(0).await.len(), 2);
        assert_eq!(case.points(3).await.len(), 2);
        case.assert_absent(1).await;
        case.assert_absent(2).await;
        // Every line that is not stored is told of.
        let mut lines: Vec<u64> = told.verdicts.iter().filter_map(|v| v["line"].as_u64()).collect();
        lines.sort_unstable();
        for line in [2, 4, 6] {
            assert!(lines.contains(&line), "{broken:?}: no verdict of line {line}: {:?}", told.verdicts);
        }
        case.end().await;
    }
    // Within a session, that one.
    let case = Case::new(backend).await;
    let rows = [HEADER.to_owned(), row(0, 1), row(1, 1), "broken".to_owned(), row(1, 2), row(2, 1)];
    let told = case.send(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(told.end["created"], 2, "{:?}", told.verdicts);
    case.assert_absent(1).await;
    assert_eq!(sessions_of(&case.app, case.user).await.len(), 2);
    // It can be mended and sent again.
    let rows = [HEADER.to_owned(), row(0, 1), row(1, 1), row(1, 2), row(2, 1)];
    let told = case.send(&rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(told.all(), [(2, 200, "unchanged"), (3, 201, "created"), (5, 200, "unchanged")]);
    case.end().await;
}

async fn ids_that_are_none_are_named(backend: Backend) {
    let case = Case::new(backend).await;
    for (row, column) in [
        ("me,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,", "user_id"),
        (",S1,session.gut_health_score,2025-01-01T00:00:01Z,1,", "user_id"),
        ("U,one,session.gut_health_score,2025-01-01T00:00:01Z,1,", "session_id"),
        ("U,,session.gut_health_score,2025-01-01T00:00:01Z,1,", "session_id"),
    ] {
        let told = case.send(&[HEADER, row]).await;
        assert_eq!(told.verdicts.len(), 1, "{row}: {:?}", told.verdicts);
        assert_eq!(told.verdicts[0]["line"], 2, "{row}");
        assert!(told.faults(0)[0].starts_with(&format!("/2/{column} ")), "{row}: {}", told.verdicts[0]);
        told.assert_end(&[("failed", 1)], 0);
    }
    assert!(sessions_of(&case.app, case.user).await.is_empty());
    case.end().await;
}

async fn starts_that_differ_are_refused(backend: Backend) {
    let case = Case::new(backend).await;
    let told = case
        .send(&[
            HEADER,
            "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1,2025-01-01T00:00:00Z",
            "U,S0,session.gut_health_score,2025-01-01T00:00:02Z,1,2025-01-01T00:00:01Z",
            "U,S1,session.gut_health_score,2025-01-01T00:00:02Z,1,2025-01-01T00:00:00Z",
        ])
        .await;
    assert_eq!(told.all(), [(2, 422, "invalid_session"), (4, 201, "created")]);
    assert!(told.faults(0)[0].starts_with("/3/start_ts "), "{}", told.verdicts[0]);
    case.assert_absent(0).await;
    case.end().await;
}

async fn points_outside_the_window_are_named(backend: Backend) {
    let case = Case::new(backend).await;
    let told = case
        .send(&[
            HEADER,
            "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1,2025-01-01T00:00:00Z",
            "U,S0,session.gut_health_score,2025-03-01T00:00:00Z,1,",
            "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,",
            "U,S1,session.gut_health_score,2025-03-01T00:00:00Z,1,",
        ])
        .await;
    assert_eq!(told.all(), [(2, 422, "invalid_session"), (4, 422, "invalid_session")]);
    assert_eq!(told.faults(0), ["/3/time implausible_time"]);
    assert_eq!(told.faults(1), ["/5/time implausible_time"]);
    case.end().await;
}

async fn text_that_is_no_utf_8_is_a_broken_line(backend: Backend) {
    let case = Case::new(backend).await;
    let text = case.text(&[
        "user_id,session_id,series,time,value,note",
        "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1,a",
        "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,#",
        "U,S2,session.gut_health_score,2025-01-01T00:00:01Z,1,a",
        "U,S3,session.gut_health_score,2025-01-01T00:00:01Z,1,a",
    ]);
    let bytes: Vec<u8> = text.bytes().map(|b| if b == b'#' { 0xff } else { b }).collect();
    let told = Told::read(&case.post("", &bytes).await);
    assert_eq!(told.end["end"], true, "{}", told.end);
    case.assert_absent(1).await;
    assert_eq!(case.points(3).await.len(), 1);
    assert!(told.verdicts.iter().any(|v| v["line"] == 3 && v["status"] != 201), "{:?}", told.verdicts);
    case.end().await;
}

async fn a_line_that_is_too_long_is_a_broken_line(backend: Backend) {
    let app = TestApp::with(backend).max_body_bytes(2_000).start().await;
    app.seed().await;
    let case = Case { app, user: Uuid::new_v4(), ids: (0..4).map(|_| Uuid::new_v4()).collect() };
    let long = format!("U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,{}", "x".repeat(5_000));
    let row = |session: usize| format!("U,S{session},session.gut_health_score,2025-01-01T00:00:01Z,1,a");
    let told =
        case.send(&["user_id,session_id,series,time,value,note", &row(0), &row(2), &long, &row(2), &row(3)]).await;
    assert_eq!(told.end["end"], true, "{}", told.end);
    assert!(told.verdicts.iter().any(|v| v["status"] == 413 && v["line"] == 4), "{:?}", told.verdicts);
    assert_eq!(told.end["created"], 2, "{:?}", told.verdicts);
    let note = json!({"value": 1, "note": "a"});
    case.assert_points(0, &[(SCORE, 1, note.clone())]).await;
    case.assert_points(3, &[(SCORE, 1, note)]).await;
    case.assert_absent(2).await;
    case.end().await;
}
