//! First lines that name no usable columns: nothing of the file is taken.

use serde_json::{Value, json};
use time_series_testkit::Backend;

use super::{Case, Told};
use crate::common::{assert_problem, sessions_of};
use crate::on_both_servers;

on_both_servers![
    needed_columns_are_needed,
    a_column_named_twice_is_refused,
    a_column_without_a_name_is_refused,
    columns_that_hide_each_other_are_refused,
    a_first_line_that_is_no_csv_is_refused,
    a_file_of_a_header_alone_has_no_sessions,
    a_file_without_a_header_is_refused,
];

const ROW: &str = "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1";

/// Checks that the file is refused for its first line, with a problem that has this word, and that nothing is stored.
async fn refuses(case: &Case, header: &str, row: &str, word: &str) {
    let answer = case
        .post("", case.text(&[header, row, ROW]).as_bytes())
        .await;
    assert_problem(&answer, 400, "invalid_body");
    let problem = answer.json();
    let told = format!("{} {}", problem["detail"], problem["errors"]);
    assert!(told.contains(word), "{header:?}: {word:?} is not in {told}");
    assert!(
        sessions_of(&case.app, case.user).await.is_empty(),
        "{header:?}"
    );
}

async fn needed_columns_are_needed(backend: Backend) {
    let case = Case::new(backend).await;
    let all = ["user_id", "session_id", "series", "time", "value"];
    let cells: Vec<&str> = ROW.split(',').collect();
    for missing in 0..4 {
        let without = |all: &[&str]| [&all[..missing], &all[missing + 1..]].concat().join(",");
        refuses(&case, &without(&all), &without(&cells), all[missing]).await;
    }
    refuses(&case, "user,session_id,series,time,value", ROW, "user_id").await;
    refuses(
        &case,
        "user_id;session_id;series;time;value",
        ROW,
        "user_id",
    )
    .await;
    case.end().await;
}

async fn a_column_named_twice_is_refused(backend: Backend) {
    let case = Case::new(backend).await;
    for twice in ["user_id", "session_id", "series", "time", "value"] {
        refuses(
            &case,
            &format!("user_id,session_id,series,time,value,{twice}"),
            &format!("{ROW},1"),
            twice,
        )
        .await;
    }
    let header = "user_id,session_id,series,time,value,start_ts,start_ts";
    refuses(&case, header, &format!("{ROW},,"), "start_ts").await;
    case.end().await;
}

async fn a_column_without_a_name_is_refused(backend: Backend) {
    let case = Case::new(backend).await;
    for header in [
        "user_id,session_id,series,time,value,",
        ",user_id,session_id,series,time",
    ] {
        refuses(&case, header, &format!("{ROW},1"), "").await;
    }
    case.end().await;
}

/// A leaf cannot be a value and hold others.
async fn columns_that_hide_each_other_are_refused(backend: Backend) {
    let case = Case::new(backend).await;
    case.app
        .metric_type("any", &json!({"type": "object"}))
        .await;
    let text = case.text(&[
        "user_id,session_id,series,time,pos,pos.x",
        "U,S0,any,2025-01-01T00:00:01Z,1,2",
    ]);
    let answer = case.post("", text.as_bytes()).await;
    // Of the first line, or of the row that fills both: it is told, and not half stored.
    if answer.status == 200 {
        let told = Told::read(&answer);
        assert_eq!(
            (
                &told.end["created"],
                told.end["problem"].is_object() || told.end["failed"] == 1
            ),
            (&json!(0), true)
        );
    } else {
        assert_eq!(answer.expect(400).code(), "invalid_body");
    }
    case.assert_absent(0).await;
    case.end().await;
}

async fn a_first_line_that_is_no_csv_is_refused(backend: Backend) {
    let case = Case::new(backend).await;
    refuses(&case, "{\"user_id\": 1}", ROW, "").await;
    refuses(&case, ROW, ROW, "user_id").await;
    refuses(&case, "\"user_id,session_id,series,time,value", ROW, "").await;
    case.end().await;
}

async fn a_file_of_a_header_alone_has_no_sessions(backend: Backend) {
    let case = Case::new(backend).await;
    for end in ["", "\n", "\r\n", "\n\n"] {
        let header = format!("user_id,session_id,series,time,value{end}");
        let told = Told::read(&case.post("", header.as_bytes()).await);
        assert_eq!(told.verdicts, Vec::<Value>::new());
        told.assert_end(&[], 0);
    }
    case.end().await;
}

async fn a_file_without_a_header_is_refused(backend: Backend) {
    let case = Case::new(backend).await;
    let answer = case.post("", b"").await;
    assert_problem(&answer, 400, "invalid_body");
    case.end().await;
}
