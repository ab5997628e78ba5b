//! Which columns a file may have, and the sessions that its rows make.

use serde_json::json;
use time_series_testkit::Backend;

use super::{Case, START, Told};
use crate::common::gzip::stored;
use crate::common::{COLOR, SCORE, assert_problem};
use crate::on_both_servers;

on_both_servers![
    the_documented_file_is_taken,
    columns_come_in_any_order,
    rows_of_one_session_keep_their_order,
    the_start_may_stand_in_any_row_or_none,
    line_ends_and_marks_make_no_difference,
    packed_files_are_unpacked,
    a_file_may_lack_its_last_line_end,
    nested_leaves_are_dotted,
    only_failures_are_told_if_asked,
    the_content_type_tells_csv,
];

async fn the_documented_file_is_taken(backend: Backend) {
    let case = Case::new(backend).await;
    let told = case
        .send(&[
            "user_id,session_id,start_ts,series,time,value,r,g,b",
            "U,S0,2025-01-01T00:00:00Z,session.gut_health_score,2025-01-01T00:00:00Z,71.5,,,",
            "U,S0,,session.urine.color,2025-01-01T00:00:01Z,,255,240,120",
            "U,S1,,session.urine.color,2025-01-01T00:00:02Z,,255,240,high",
        ])
        .await;
    assert_eq!(told.all(), [(2, 201, "created"), (4, 422, "invalid_session")]);
    let expected = json!({
        "line": 2, "status": 201, "outcome": "created", "user_id": case.user, "session_id": case.ids[0],
        "points": 2, "version": 1, "total_points": 2,
    });
    assert_eq!(told.verdicts[0], expected);
    assert_eq!(told.faults(1), ["/4/b schema_violation"]);
    assert_eq!(told.verdicts[1]["total_errors"], 1);
    told.assert_end(&[("created", 1), ("failed", 1)], 2);
    let color = json!({"r": 255, "g": 240, "b": 120});
    case.assert_points(0, &[(SCORE, 0, json!({"value": 71.5})), (COLOR, 1, color)]).await;
    case.assert_absent(1).await;
    let record = case.app.get(&format!("/api/sessions/{}/", case.ids[0])).await.expect(200).json();
    assert_eq!(record["start_ts"], START);
    case.end().await;
}

async fn columns_come_in_any_order(backend: Backend) {
    let case = Case::new(backend).await;
    let rows = [
        ("user_id", ["U", "U", "U"]),
        ("session_id", ["S0", "S0", "S1"]),
        ("start_ts", ["2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", ""]),
        ("series", ["session.gut_health_score", "session.urine.color", "session.gut_health_score"]),
        ("time", ["2025-01-01T00:00:01Z", "2025-01-01T00:00:02Z", "2025-01-01T00:00:03Z"]),
        ("value", ["1", "", "3"]),
        ("r", ["", "7", ""]),
        ("g", ["", "8", ""]),
        ("b", ["", "9", ""]),
    ];
    let line = |order: &[usize], row: Option<usize>| {
        let cells: Vec<&str> = order.iter().map(|i| row.map_or(rows[*i].0, |row| rows[*i].1[row])).collect();
        cells.join(",")
    };
    for (number, order) in
        [[0, 1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1, 0], [5, 0, 8, 4, 1, 7, 3, 6, 2]].iter().enumerate()
    {
        let lines: Vec<String> = [None, Some(0), Some(1), Some(2)].map(|row| line(order, row)).into();
        let told = case.send(&lines.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let outcome = if number == 0 { "created" } else { "unchanged" };
        assert!(told.verdicts.iter().all(|v| v["outcome"] == outcome), "{:?}", told.verdicts);
    }
    let color = json!({"r": 7, "g": 8, "b": 9});
    case.assert_points(0, &[(SCORE, 1, json!({"value": 1})), (COLOR, 2, color)]).await;
    case.assert_points(1, &[(SCORE, 3, json!({"value": 3}))]).await;
    case.end().await;
}

async fn rows_of_one_session_keep_their_order(backend: Backend) {
    let case = Case::new(backend).await;
    let told = case
        .send(&[
            "user_id,session_id,series,time,value",
            "U,S0,session.gut_health_score,2025-01-01T00:00:05Z,9",
            "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,3",
            "U,S0,session.gut_health_score,2025-01-01T00:00:05Z,1",
            "U,S0,session.gut_health_score,2025-01-01T00:00:05Z,5",
        ])
        .await;
    assert_eq!(told.all(), [(2, 201, "created")]);
    let value = |v: u32| json!({"value": v});
    case.assert_points(0, &[(SCORE, 1, value(3)), (SCORE, 5, value(9)), (SCORE, 5, value(1)), (SCORE, 5, value(5))])
        .await;
    case.end().await;
}

async fn the_start_may_stand_in_any_row_or_none(backend: Backend) {
    let case = Case::new(backend).await;
    let told = case
        .send(&[
            "start_ts,user_id,session_id,series,time,value",
            ",U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1",
            ",U,S0,session.gut_health_score,2025-01-01T00:00:02Z,1",
            "2025-01-01T00:00:00Z,U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1",
            "2025-01-01T00:00:00Z,U,S1,session.gut_health_score,2025-01-01T00:00:02Z,1",
            "2025-01-01T01:00:00+01:00,U,S2,session.gut_health_score,2025-01-01T00:00:01Z,1",
            "2025-01-01T00:00:00.000Z,U,S2,session.gut_health_score,2025-01-01T00:00:02Z,1",
        ])
        .await;
    assert_eq!(told.all(), [(2, 201, "created"), (4, 201, "created"), (6, 201, "created")]);
    for (session, start) in [(0, json!(null)), (1, json!(START)), (2, json!(START))] {
        let record = case.app.get(&format!("/api/sessions/{}/", case.ids[session])).await.expect(200).json();
        assert_eq!((&record["start_ts"], &record["points"]), (&start, &json!(2)));
    }
    case.end().await;
}

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
        self.assert_points(0, &[(SCORE, 1, one), (SCORE, 2, json!({"value": 2}))]).await;
        self.assert_points(1, &[(SCORE, 3, json!({"value": 3}))]).await;
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
    let zstd = zstd::encode_all(text.as_bytes(), 3).expect("packs");
    for (encoding, body, outcome) in [("gzip", stored(text.as_bytes()), "created"), ("zstd", zstd, "unchanged")] {
        let headers = [("content-type", "text/csv; charset=utf-8"), ("content-encoding", encoding)];
        let told = Told::read(&case.app.request(reqwest::Method::POST, super::PATH, Some(body), &headers).await);
        told.assert_end(
            &[(outcome, 2)],
            if outcome == "created" { 3 } else { told.end["points"].as_u64().expect("points") },
        );
    }
    case.holds_the_file().await;
    // Half of it is said to be half.
    let packed = stored(text.as_bytes());
    let headers = [("content-type", "text/csv"), ("content-encoding", "gzip")];
    let half = Some(packed[..packed.len() / 2].to_vec());
    // Before a session is whole, the status says so.
    let answer = case.app.request(reqwest::Method::POST, super::PATH, half, &headers).await;
    assert_problem(&answer, 400, "invalid_body");
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

async fn nested_leaves_are_dotted(backend: Backend) {
    let case = Case::new(backend).await;
    let number = json!({"type": "number"});
    let pos = json!({"type": "object", "properties": {"x": number, "y": number}, "required": ["x"]});
    let deep = json!({"type": "object", "properties": {"pos": pos, "speed": number, "a": {"type": "object", "properties": {"b": pos}}}, "required": ["pos"]});
    case.app.metric_type("track", &deep).await;
    let told = case
        .send(&[
            "user_id,session_id,series,time,pos.x,speed,pos.y,a.b.x,extra.name",
            "U,S0,track,2025-01-01T00:00:01Z,1.5,3,2.5,,",
            "U,S0,track,2025-01-01T00:00:02Z,2.5,,,7,home",
            "U,S1,track,2025-01-01T00:00:03Z,,,2.5,,",
            "U,S2,track,2025-01-01T00:00:03Z,1,fast,2.5,,",
            "U,S3,track,2025-01-01T00:00:03Z,1,1,north,,",
        ])
        .await;
    let refused = |line| (line, 422, "invalid_session");
    assert_eq!(told.all(), [(2, 201, "created"), refused(4), refused(5), refused(6)]);
    assert!(told.faults(1)[0].starts_with("/4"), "{}", told.verdicts[1]);
    assert_eq!(told.faults(2), ["/5/speed schema_violation"]);
    assert_eq!(told.faults(3), ["/6/pos.y schema_violation"]);
    let first = json!({"pos": {"x": 1.5, "y": 2.5}, "speed": 3});
    let second = json!({"pos": {"x": 2.5}, "a": {"b": {"x": 7}}, "extra": {"name": "home"}});
    case.assert_points(0, &[("track", 1, first), ("track", 2, second)]).await;
    let asked = "series=track&start_time=2025-01-01&end_time=2025-01-02&interval=all&agg_func=max&where=pos.x%3C2";
    let rows = crate::common::results(&case.app.timeseries(case.user, asked).await.expect(200));
    assert_eq!(crate::common::plain(&rows[0]["value"]), json!({"pos": {"x": 1.5, "y": 2.5}, "speed": 3.0}));
    case.end().await;
}

async fn only_failures_are_told_if_asked(backend: Backend) {
    let case = Case::new(backend).await;
    let told = case
        .send_with(
            "?verdicts=failed",
            &[
                "user_id,session_id,series,time,value",
                "U,S0,session.gut_health_score,2025-01-01T00:00:01Z,1",
                "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,high",
                "U,S2,session.gut_health_score,2025-01-01T00:00:01Z,1",
            ],
        )
        .await;
    assert_eq!(told.all(), [(3, 422, "invalid_session")]);
    told.assert_end(&[("created", 2), ("failed", 1)], 2);
    case.end().await;
}

async fn the_content_type_tells_csv(backend: Backend) {
    let case = Case::new(backend).await;
    let text = case.text(&FILE);
    for (content_type, outcome) in [("text/csv", "created"), ("Text/CSV;charset=UTF-8", "unchanged")] {
        let headers = [("content-type", content_type)];
        let body = Some(text.clone().into_bytes());
        let told = Told::read(&case.app.request(reqwest::Method::POST, super::PATH, body, &headers).await);
        assert!(told.verdicts.iter().all(|v| v["outcome"] == outcome), "{content_type}: {:?}", told.verdicts);
    }
    // Without it, lines are JSON: none of these is.
    let told = Told::read(&case.app.post_text(super::PATH, &text).await);
    assert_eq!(told.end["failed"], 4);
    let body = Some(text.into_bytes());
    let single = case.app.request(reqwest::Method::POST, "/api/sessions/", body, &[("content-type", "text/csv")]).await;
    assert_problem(&single, 400, "invalid_body");
    case.end().await;
}
