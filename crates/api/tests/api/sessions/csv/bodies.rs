//! How a file may come: with which line ends, packed, whole or broken off.

use serde_json::json;
use time_series_testkit::Backend;

use super::{Case, Told};
use crate::common::{SCORE, assert_problem, gzip, zstd};
use crate::on_both_servers;

on_both_servers![
    line_ends_and_marks_make_no_difference,
    packed_files_are_unpacked,
    a_file_that_breaks_off_says_so,
    a_file_may_lack_its_last_line_end,
    the_content_type_tells_csv,
    spaces_count_in_texts_alone,
];

/// A file of two sessions.
const FILE: [&str; 4] = [
    "user_id,session_id,series,time,value,note",
    "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1,\u{e9}",
    "U,S0,session.gut_health_score,2025-01-01T00:00:02Z,2,",
    "U,S1,session.gut_health_score,2025-01-01T00:00:03Z,3,",
];

impl Case {
    async fn holds_the_file(&self) {
        let one = json!({"value": 1, "note": "\u{e9}"});
        self.assert_points(0, &[(SCORE, 1, one), (SCORE, 2, json!({"value": 2}))])
            .await;
        self.assert_points(1, &[(SCORE, 3, json!({"value": 3}))])
            .await;
    }
}

async fn line_ends_and_marks_make_no_difference(backend: Backend) {
    let case = Case::new(backend).await;
    let text = case.text(&FILE);
    let mark = "\u{feff}".to_owned() + &text;
    let crlf = text.replace('\n', "\r\n");
    let both = mark.replace('\n', "\r\n");
    for (number, body) in [mark, crlf, both, text].iter().enumerate() {
        let told = Told::read(&case.post("", body.as_bytes()).await);
        let expected = if number == 0 {
            [(2, 201, "created"), (4, 201, "created")]
        } else {
            [(2, 200, "unchanged"), (4, 200, "unchanged")]
        };
        assert_eq!(told.all(), expected, "{body:?}");
    }
    case.holds_the_file().await;
    case.end().await;
}

async fn packed_files_are_unpacked(backend: Backend) {
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
        let told = Told::read(
            &case
                .app
                .request(reqwest::Method::POST, super::PATH, Some(body), &headers)
                .await,
        );
        told.assert_end(
            &[(outcome, 2)],
            if outcome == "created" {
                3
            } else {
                told.end["points"].as_u64().expect("points")
            },
        );
    }
    case.holds_the_file().await;
    case.end().await;
}

/// Packed in two frames, of which the second ends too early: the last session may go on there.
async fn a_file_that_breaks_off_says_so(backend: Backend) {
    let case = Case::new(backend).await;
    let packed = |lines: &[&str]| zstd(case.text(lines).as_bytes());
    let (first, second) = (packed(&FILE), packed(&FILE[3..]));
    let body = [first.as_slice(), &second[..second.len() - 9]].concat();
    let headers = [("content-type", "text/csv"), ("content-encoding", "zstd")];
    let told = Told::read(
        &case
            .app
            .request(reqwest::Method::POST, super::PATH, Some(body), &headers)
            .await,
    );
    assert_eq!(
        (&told.end["end"], &told.end["problem"]["code"]),
        (&json!(false), &json!("invalid_body")),
        "{}",
        told.end
    );
    assert_eq!(
        told.all().first(),
        Some(&(2, 201, "created")),
        "{:?}",
        told.verdicts
    );
    case.assert_absent(1).await;
    case.end().await;
}

async fn a_file_may_lack_its_last_line_end(backend: Backend) {
    let case = Case::new(backend).await;
    let text = case.text(&FILE);
    let told = Told::read(&case.post("", text.trim_end().as_bytes()).await);
    told.assert_end(&[("created", 2)], 3);
    // Lines without anything in them are none.
    let told = Told::read(&case.post("", format!("{text}\n\r\n").as_bytes()).await);
    assert_eq!(told.all(), [(2, 200, "unchanged"), (4, 200, "unchanged")]);
    case.holds_the_file().await;
    case.end().await;
}

async fn the_content_type_tells_csv(backend: Backend) {
    let case = Case::new(backend).await;
    let text = case.text(&FILE);
    for (content_type, outcome) in [
        ("text/csv", "created"),
        ("Text/CSV;charset=UTF-8", "unchanged"),
    ] {
        let headers = [("content-type", content_type)];
        let body = Some(text.clone().into_bytes());
        let told = Told::read(
            &case
                .app
                .request(reqwest::Method::POST, super::PATH, body, &headers)
                .await,
        );
        assert!(
            told.verdicts.iter().all(|v| v["outcome"] == outcome),
            "{content_type}: {:?}",
            told.verdicts
        );
    }
    // Without it, lines are JSON: none of these is.
    let told = Told::read(&case.app.post_text(super::PATH, &text).await);
    assert_eq!(told.end["failed"], 4);
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
    case.end().await;
}

async fn spaces_count_in_texts_alone(backend: Backend) {
    let case = Case::new(backend).await;
    let text = case.text(&[
        " user_id , session_id,series ,time, value,note",
        "U,S0, session.gut_health_score , 2025-01-01T00:00:01Z , 1 , padded ",
        "U,S0,session.gut_health_score,2025-01-01T00:00:02Z,2,",
    ]);
    let user = case.user.to_string();
    let text = text.replacen(&user, &format!(" {user} "), 1);
    let told = Told::read(&case.post("", text.as_bytes()).await);
    assert_eq!(told.all(), [(2, 201, "created")], "one session: {text}");
    let one = json!({"value": 1, "note": " padded "});
    case.assert_points(0, &[(SCORE, 1, one), (SCORE, 2, json!({"value": 2}))])
        .await;
    case.end().await;
}
