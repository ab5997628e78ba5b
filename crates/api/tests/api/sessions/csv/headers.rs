//! Header lines without usable columns: the file is rejected.

use serde_json::{Value, json};
use time_series_testkit::Backend;

use super::Case;
use crate::common::{assert_problem, sessions_of};
use crate::on_both_servers;
use crate::sessions::bulk_result::BulkResult;

on_both_servers![
    required_columns_are_required,
    a_column_named_twice_is_rejected,
    a_column_without_a_name_is_rejected,
    overlapping_columns_are_rejected,
    a_header_that_is_not_csv_is_rejected,
    a_file_with_only_a_header_has_no_sessions,
    a_file_without_a_header_is_rejected,
];

const ROW: &str = "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1";

/// Checks that the file is rejected for its header, that the problem has this word, and that
/// nothing is stored.
async fn assert_rejected(case: &Case, header: &str, row: &str, word: &str) {
    let response = case
        .post("", case.text(&[header, row, ROW]).as_bytes())
        .await;
    assert_problem(&response, 400, "invalid_body");
    let problem = response.json();
    let result = format!("{} {}", problem["detail"], problem["errors"]);
    assert!(
        result.contains(word),
        "{header:?}: {word:?} is not in {result}"
    );
    assert!(
        sessions_of(&case.app, case.user).await.is_empty(),
        "{header:?}"
    );
}

async fn required_columns_are_required(backend: Backend) {
    let case = Case::new(backend).await;
    let all = ["user_id", "session_id", "series", "time", "value"];
    let cells: Vec<&str> = ROW.split(',').collect();
    for missing in 0..4 {
        let without = |all: &[&str]| [&all[..missing], &all[missing + 1..]].concat().join(",");
        assert_rejected(&case, &without(&all), &without(&cells), all[missing]).await;
    }
    assert_rejected(&case, "user,session_id,series,time,value", ROW, "user_id").await;
    assert_rejected(
        &case,
        "user_id;session_id;series;time;value",
        ROW,
        "user_id",
    )
    .await;
    case.check_database().await;
}

async fn a_column_named_twice_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    for twice in ["user_id", "session_id", "series", "time", "value"] {
        assert_rejected(
            &case,
            &format!("user_id,session_id,series,time,value,{twice}"),
            &format!("{ROW},1"),
            twice,
        )
        .await;
    }
    let header = "user_id,session_id,series,time,value,start_ts,start_ts";
    assert_rejected(&case, header, &format!("{ROW},,"), "start_ts").await;
    case.check_database().await;
}

async fn a_column_without_a_name_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    for header in [
        "user_id,session_id,series,time,value,",
        ",user_id,session_id,series,time",
    ] {
        assert_rejected(&case, header, &format!("{ROW},1"), "").await;
    }
    case.check_database().await;
}

/// A leaf cannot both be a value and have members.
async fn overlapping_columns_are_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    case.app
        .metric_type("any", &json!({"type": "object"}))
        .await;
    let text = case.text(&[
        "user_id,session_id,series,time,pos,pos.x",
        "U,S0,any,2025-01-01T00:00:01Z,1,2",
    ]);
    let response = case.post("", text.as_bytes()).await;
    // The header or the row that fills both is reported; no part of the row is stored.
    if response.status == 200 {
        let result = BulkResult::read(&response);
        assert_eq!(
            (
                &result.end["created"],
                result.end["problem"].is_object() || result.end["failed"] == 1
            ),
            (&json!(0), true)
        );
    } else {
        assert_eq!(response.expect(400).code(), "invalid_body");
    }
    case.assert_absent(0).await;
    case.check_database().await;
}

async fn a_header_that_is_not_csv_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    assert_rejected(&case, "{\"user_id\": 1}", ROW, "").await;
    assert_rejected(&case, ROW, ROW, "user_id").await;
    assert_rejected(&case, "\"user_id,session_id,series,time,value", ROW, "").await;
    case.check_database().await;
}

async fn a_file_with_only_a_header_has_no_sessions(backend: Backend) {
    let case = Case::new(backend).await;
    for end in ["", "\n", "\r\n", "\n\n"] {
        let header = format!("user_id,session_id,series,time,value{end}");
        let result = BulkResult::read(&case.post("", header.as_bytes()).await);
        assert_eq!(result.verdicts, Vec::<Value>::new());
        result.assert_end(&[], 0);
    }
    case.check_database().await;
}

async fn a_file_without_a_header_is_rejected(backend: Backend) {
    let case = Case::new(backend).await;
    let response = case.post("", b"").await;
    assert_problem(&response, 400, "invalid_body");
    case.check_database().await;
}
