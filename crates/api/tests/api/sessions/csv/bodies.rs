//! Accepted bodies of CSV files: line ends, compressed, complete or truncated.

use serde_json::json;
use time_series_testkit::Backend;

use super::Case;
use crate::common::{SCORE, assert_problem, gzip, zstd};
use crate::on_both_servers;
use crate::sessions::bulk_result::BulkResult;

on_both_servers![
    line_ends_and_byte_order_marks_make_no_difference,
    compressed_files_are_accepted,
    a_truncated_file_ends_with_a_problem,
    the_last_line_end_is_optional,
    the_content_type_selects_csv,
    spaces_count_in_texts_only,
];

/// A file of two sessions.
const FILE: [&str; 4] = [
    "user_id,session_id,series,time,value,note",
    "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1,\u{e9}",
    "U,S0,session.gut_health_score,2025-01-01T00:00:02Z,2,",
    "U,S1,session.gut_health_score,2025-01-01T00:00:03Z,3,",
];

impl Case {
    async fn assert_file_is_stored(&self) {
        let one = json!({"value": 1, "note": "\u{e9}"});
        self.assert_points(0, &[(SCORE, 1, one), (SCORE, 2, json!({"value": 2}))])
            .await;
        self.assert_points(1, &[(SCORE, 3, json!({"value": 3}))])
            .await;
    }
}

async fn line_ends_and_byte_order_marks_make_no_difference(backend: Backend) {
    let case = Case::new(backend).await;
    let text = case.text(&FILE);
    let mark = "\u{feff}".to_owned() + &text;
    let crlf = text.replace('\n', "\r\n");
    let both = mark.replace('\n', "\r\n");
    for (number, body) in [mark, crlf, both, text].iter().enumerate() {
        let result = BulkResult::read(&case.post("", body.as_bytes()).await);
        let expected = if number == 0 {
            [(2, 201, "created"), (4, 201, "created")]
        } else {
            [(2, 200, "unchanged"), (4, 200, "unchanged")]
        };
        assert_eq!(result.outcomes(), expected, "{body:?}");
    }
    case.assert_file_is_stored().await;
    case.check_database().await;
}

async fn compressed_files_are_accepted(backend: Backend) {
    let case = Case::new(backend).await;
    let text = case.text(&FILE);
    for (encoding, body, outcome) in [
        ("gzip", gzip(text.as_bytes()), "created"),
        ("zstd", zstd(text.as_bytes()), "unchanged"),
    ] {
        let headers = [
            ("content-type", "text/csv; charset=utf-8"),
            ("content-encoding", encoding),
        ];
        let result = BulkResult::read(
            &case
                .app
                .request(reqwest::Method::POST, super::PATH, Some(body), &headers)
                .await,
        );
        result.assert_end(
            &[(outcome, 2)],
            if outcome == "created" {
                3
            } else {
                result.end["points"].as_u64().expect("points")
            },
        );
    }
    case.assert_file_is_stored().await;
    case.check_database().await;
}

/// A file in two compressed frames. The second one is truncated: the last session is incomplete.
async fn a_truncated_file_ends_with_a_problem(backend: Backend) {
    let case = Case::new(backend).await;
    let compressed = |lines: &[&str]| zstd(case.text(lines).as_bytes());
    let (first, second) = (compressed(&FILE), compressed(&FILE[3..]));
    let body = [first.as_slice(), &second[..second.len() - 9]].concat();
    let headers = [("content-type", "text/csv"), ("content-encoding", "zstd")];
    let result = BulkResult::read(
        &case
            .app
            .request(reqwest::Method::POST, super::PATH, Some(body), &headers)
            .await,
    );
    assert_eq!(
        (&result.end["end"], &result.end["problem"]["code"]),
        (&json!(false), &json!("invalid_body")),
        "{}",
        result.end
    );
    assert_eq!(
        result.outcomes().first(),
        Some(&(2, 201, "created")),
        "{:?}",
        result.verdicts
    );
    case.assert_absent(1).await;
    case.check_database().await;
}

async fn the_last_line_end_is_optional(backend: Backend) {
    let case = Case::new(backend).await;
    let text = case.text(&FILE);
    let result = BulkResult::read(&case.post("", text.trim_end().as_bytes()).await);
    result.assert_end(&[("created", 2)], 3);
    // Empty lines are ignored.
    let result = BulkResult::read(&case.post("", format!("{text}\n\r\n").as_bytes()).await);
    assert_eq!(
        result.outcomes(),
        [(2, 200, "unchanged"), (4, 200, "unchanged")]
    );
    case.assert_file_is_stored().await;
    case.check_database().await;
}

async fn the_content_type_selects_csv(backend: Backend) {
    let case = Case::new(backend).await;
    let text = case.text(&FILE);
    for (content_type, outcome) in [
        ("text/csv", "created"),
        ("Text/CSV;charset=UTF-8", "unchanged"),
    ] {
        let headers = [("content-type", content_type)];
        let body = Some(text.clone().into_bytes());
        let result = BulkResult::read(
            &case
                .app
                .request(reqwest::Method::POST, super::PATH, body, &headers)
                .await,
        );
        assert!(
            result.verdicts.iter().all(|v| v["outcome"] == outcome),
            "{content_type}: {:?}",
            result.verdicts
        );
    }
    // Without it, lines are JSON: none of these is.
    let result = BulkResult::read(&case.app.post_text(super::PATH, &text).await);
    assert_eq!(result.end["failed"], 4);
    let body = Some(text.into_bytes());
    let single = case
        .app
        .request(
            reqwest::Method::POST,
            "/api/sessions/",
            body,
            &[("content-type", "text/csv")],
        )
        .await;
    assert_problem(&single, 400, "invalid_body");
    case.check_database().await;
}

async fn spaces_count_in_texts_only(backend: Backend) {
    let case = Case::new(backend).await;
    let text = case.text(&[
        " user_id , session_id,series ,time, value,note",
        "U,S0, session.gut_health_score , 2025-01-01T00:00:01Z , 1 , padded ",
        "U,S0,session.gut_health_score,2025-01-01T00:00:02Z,2,",
    ]);
    let user = case.user.to_string();
    let text = text.replacen(&user, &format!(" {user} "), 1);
    let result = BulkResult::read(&case.post("", text.as_bytes()).await);
    assert_eq!(
        result.outcomes(),
        [(2, 201, "created")],
        "one session: {text}"
    );
    let one = json!({"value": 1, "note": " padded "});
    case.assert_points(0, &[(SCORE, 1, one), (SCORE, 2, json!({"value": 2}))])
        .await;
    case.check_database().await;
}
