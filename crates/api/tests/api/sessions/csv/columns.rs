//! The columns of a file.

use serde_json::json;
use time_series_testkit::Backend;

use super::{Case, START};
use crate::common::{COLOR, SCORE};
use crate::on_both_servers;

on_both_servers![
    the_documented_file_is_accepted,
    columns_come_in_any_order,
    nested_leaves_are_dotted,
    verdicts_failed_returns_only_failures,
];

async fn the_documented_file_is_accepted(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case
        .send(&[
            "user_id,session_id,start_ts,series,time,value,r,g,b",
            "U,S0,2025-01-01T00:00:00Z,session.gut_health_score,2025-01-01T00:00:00Z,71.5,,,",
            "U,S0,,session.urine.color,2025-01-01T00:00:01Z,,255,240,120",
            "U,S1,,session.urine.color,2025-01-01T00:00:02Z,,255,240,high",
        ])
        .await;
    assert_eq!(
        result.outcomes(),
        [(2, 201, "created"), (4, 422, "invalid_session")]
    );
    let expected = json!({
        "line": 2, "status": 201, "outcome": "created", "user_id": case.user, "session_id": case.ids[0],
        "points": 2, "version": 1, "total_points": 2,
    });
    assert_eq!(result.verdicts[0], expected);
    assert_eq!(result.faults(1), ["/4/b schema_violation"]);
    assert_eq!(result.verdicts[1]["total_errors"], 1);
    result.assert_end(&[("created", 1), ("failed", 1)], 2);
    let color = json!({"r": 255, "g": 240, "b": 120});
    case.assert_points(0, &[(SCORE, 0, json!({"value": 71.5})), (COLOR, 1, color)])
        .await;
    case.assert_absent(1).await;
    let record = case
        .app
        .get(&format!("/api/sessions/{}/", case.ids[0]))
        .await
        .expect(200)
        .json();
    assert_eq!(record["start_ts"], START);
    case.check_database().await;
}

async fn columns_come_in_any_order(backend: Backend) {
    let case = Case::new(backend).await;
    let rows = [
        ("user_id", ["U", "U", "U"]),
        ("session_id", ["S0", "S0", "S1"]),
        (
            "start_ts",
            ["2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", ""],
        ),
        (
            "series",
            [
                "session.gut_health_score",
                "session.urine.color",
                "session.gut_health_score",
            ],
        ),
        (
            "time",
            [
                "2025-01-01T00:00:01Z",
                "2025-01-01T00:00:02Z",
                "2025-01-01T00:00:03Z",
            ],
        ),
        ("value", ["1", "", "3"]),
        ("r", ["", "7", ""]),
        ("g", ["", "8", ""]),
        ("b", ["", "9", ""]),
    ];
    let line = |order: &[usize], row: Option<usize>| {
        let cells: Vec<&str> = order
            .iter()
            .map(|i| row.map_or(rows[*i].0, |row| rows[*i].1[row]))
            .collect();
        cells.join(",")
    };
    for (number, order) in [
        [0, 1, 2, 3, 4, 5, 6, 7, 8],
        [8, 7, 6, 5, 4, 3, 2, 1, 0],
        [5, 0, 8, 4, 1, 7, 3, 6, 2],
    ]
    .iter()
    .enumerate()
    {
        let lines: Vec<String> = [None, Some(0), Some(1), Some(2)]
            .map(|row| line(order, row))
            .into();
        let result = case
            .send(&lines.iter().map(String::as_str).collect::<Vec<_>>())
            .await;
        let outcome = if number == 0 { "created" } else { "unchanged" };
        assert!(
            result.verdicts.iter().all(|v| v["outcome"] == outcome),
            "{:?}",
            result.verdicts
        );
    }
    let color = json!({"r": 7, "g": 8, "b": 9});
    case.assert_points(0, &[(SCORE, 1, json!({"value": 1})), (COLOR, 2, color)])
        .await;
    case.assert_points(1, &[(SCORE, 3, json!({"value": 3}))])
        .await;
    case.check_database().await;
}

async fn nested_leaves_are_dotted(backend: Backend) {
    let case = Case::new(backend).await;
    let number = json!({"type": "number"});
    let pos =
        json!({"type": "object", "properties": {"x": number, "y": number}, "required": ["x"]});
    let deep = json!({"type": "object", "properties": {"pos": pos, "speed": number, "a": {"type": "object", "properties": {"b": pos}}}, "required": ["pos"]});
    case.app.metric_type("track", &deep).await;
    let result = case
        .send(&[
            "user_id,session_id,series,time,pos.x,speed,pos.y,a.b.x,extra.name",
            "U,S0,track,2025-01-01T00:00:01Z,1.5,3,2.5,,",
            "U,S0,track,2025-01-01T00:00:02Z,2.5,,,7,home",
            "U,S1,track,2025-01-01T00:00:03Z,,,2.5,,",
            "U,S2,track,2025-01-01T00:00:03Z,1,fast,2.5,,",
            "U,S3,track,2025-01-01T00:00:03Z,1,1,north,,",
        ])
        .await;
    let rejected = |line| (line, 422, "invalid_session");
    assert_eq!(
        result.outcomes(),
        [(2, 201, "created"), rejected(4), rejected(5), rejected(6)]
    );
    assert!(
        result.faults(1)[0].starts_with("/4"),
        "{}",
        result.verdicts[1]
    );
    assert_eq!(result.faults(2), ["/5/speed schema_violation"]);
    assert_eq!(result.faults(3), ["/6/pos.y schema_violation"]);
    let first = json!({"pos": {"x": 1.5, "y": 2.5}, "speed": 3});
    let second = json!({"pos": {"x": 2.5}, "a": {"b": {"x": 7}}, "extra": {"name": "home"}});
    case.assert_points(0, &[("track", 1, first), ("track", 2, second)])
        .await;
    let parameters = "series=track&start_time=2025-01-01&end_time=2025-01-02&interval=all&agg_func=max&where=pos.x%3C2";
    let rows =
        crate::common::results(&case.app.timeseries(case.user, parameters).await.expect(200));
    assert_eq!(
        crate::common::as_floats(&rows[0]["value"]),
        json!({"pos": {"x": 1.5, "y": 2.5}, "speed": 3.0})
    );
    case.check_database().await;
}

async fn verdicts_failed_returns_only_failures(backend: Backend) {
    let case = Case::new(backend).await;
    let result = case
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
    assert_eq!(result.outcomes(), [(3, 422, "invalid_session")]);
    result.assert_end(&[("created", 2), ("failed", 1)], 2);
    case.check_database().await;
}
