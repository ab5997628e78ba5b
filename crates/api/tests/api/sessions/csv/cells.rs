//! Values of cells: JSON if the cell is JSON, otherwise text; an empty cell has no value.

use serde_json::{Value, json};
use time_series_testkit::Backend;

use super::Case;
use crate::common::{NOTE, SCORE, add_text_series, as_floats, results};
use crate::on_both_servers;
use crate::sessions::bulk_result::BulkResult;

on_both_servers![
    cells_are_json_or_text,
    a_cell_that_only_starts_as_json_is_text,
    cells_may_be_quoted,
    an_empty_cell_adds_no_leaf,
    the_column_value_holds_bare_values,
    values_keep_all_digits,
    cells_are_validated_like_values,
];

/// Posts the cells as the leaf `x` of points of a series that accepts any value, one per second;
/// returns the values.
async fn leaves(case: &Case, session: usize, cells: &[&str]) -> Vec<Value> {
    case.app
        .metric_type(&format!("any.{session}"), &json!({"type": "object"}))
        .await;
    let row = |(second, cell): (usize, &&str)| {
        let (user, id) = (case.user, case.ids[session]);
        format!("{user},{id},any.{session},2025-01-01T00:00:{second:02}Z,{cell}\n")
    };
    let rows: String = cells.iter().enumerate().map(row).collect();
    let result = BulkResult::read(
        &case
            .post(
                "",
                format!("user_id,session_id,series,time,x\n{rows}").as_bytes(),
            )
            .await,
    );
    assert_eq!(
        result.outcomes(),
        [(2, 201, "created")],
        "{:?}",
        result.verdicts
    );
    let path = format!("/api/sessions/{}/points/", case.ids[session]);
    results(&case.app.get(&path).await.expect(200))
        .iter()
        .map(|row| row["value"].clone())
        .collect()
}

async fn cells_are_json_or_text(backend: Backend) {
    let case = Case::new(backend).await;
    let cells = [
        ("71.5", json!(71.5)),
        ("-3", json!(-3)),
        ("1e2", json!(100)),
        ("true", json!(true)),
        ("false", json!(false)),
        ("null", Value::Null),
        ("[1]", json!([1])),
        ("{}", json!({})),
        ("hello", json!("hello")),
        ("hello world", json!("hello world")),
        ("True", json!("True")),
        ("007", json!("007")),
        ("+7", json!("+7")),
        (".5", json!(".5")),
        ("5.", json!("5.")),
        ("NaN", json!("NaN")),
        ("0x10", json!("0x10")),
        ("2025-01-01", json!("2025-01-01")),
        ("'7'", json!("'7'")),
        ("\u{e9}\u{1F600}", json!("\u{e9}\u{1F600}")),
        (r"a\nb", json!(r"a\nb")),
    ];
    let values = leaves(&case, 0, &cells.each_ref().map(|(cell, _)| *cell)).await;
    for ((cell, expected), value) in cells.iter().zip(&values) {
        assert_eq!(as_floats(&value["x"]), as_floats(expected), "{cell}");
    }
    assert_eq!(values.len(), cells.len());
    case.check_database().await;
}

async fn a_cell_that_only_starts_as_json_is_text(backend: Backend) {
    let case = Case::new(backend).await;
    let cells = [
        "[1",
        "{a}",
        "[draft] note",
        "{1: 2}",
        "1 2",
        "-",
        "-a",
        "1a",
        "tru",
        "nulls",
        "3 apples",
        "12:30",
        "5%",
    ];
    for (session, cells) in [(0, &cells[4..]), (1, &cells[..4])] {
        let values = leaves(&case, session, cells).await;
        let values: Vec<&Value> = values.iter().map(|value| &value["x"]).collect();
        assert_eq!(values, cells.iter().collect::<Vec<_>>());
    }
    case.check_database().await;
}

async fn cells_may_be_quoted(backend: Backend) {
    let case = Case::new(backend).await;
    let cells = [
        (r#""71.5""#, json!(71.5)),
        (r#""[1,2]""#, json!([1, 2])),
        (r#""a, b""#, json!("a, b")),
        (r#""say ""so""""#, json!(r#"say "so""#)),
        (r#""""7""""#, json!("7")),
        (r#""""true""""#, json!("true")),
        (r#""""a\nb""""#, json!("a\nb")),
        (r#""""\u00e9 \""q\"" \\""""#, json!("\u{e9} \"q\" \\")),
        (
            r#""{""a"":[1,{""b"":null}],""c"":""d,e""}""#,
            json!({"a": [1, {"b": null}], "c": "d,e"}),
        ),
        (r#""""""""#, json!("")),
        (r#""hello""#, json!("hello")),
    ];
    let values = leaves(&case, 0, &cells.each_ref().map(|(cell, _)| *cell)).await;
    for ((cell, expected), value) in cells.iter().zip(&values) {
        assert_eq!(as_floats(&value["x"]), as_floats(expected), "{cell}");
    }
    assert_eq!(values.len(), cells.len());
    // Names, ids and times may be quoted, too.
    let result = case
        .send(&[
            r#""user_id","session_id","series","time","value""#,
            r#"U,S1,"session.gut_health_score","2025-01-01T00:00:01Z","2""#,
        ])
        .await;
    assert_eq!(result.outcomes(), [(2, 201, "created")]);
    case.assert_points(1, &[(SCORE, 1, json!({"value": 2}))])
        .await;
    case.check_database().await;
}

async fn an_empty_cell_adds_no_leaf(backend: Backend) {
    let case = Case::new(backend).await;
    let number = json!({"type": "number"});
    case.app
        .metric_type(
            "some",
            &json!({"type": "object", "properties": {"p": number, "q": number}}),
        )
        .await;
    let result = case
        .send(&[
            "user_id,session_id,series,time,p,q,n.a,n.b",
            "U,S0,some,2025-01-01T00:00:01Z,1,,,",
            "U,S0,some,2025-01-01T00:00:02Z,,2,,",
            "U,S0,some,2025-01-01T00:00:03Z,,,,x",
            "U,S1,session.gut_health_score,2025-01-01T00:00:01Z,1,,,",
        ])
        .await;
    assert_eq!(
        result.outcomes(),
        [(2, 201, "created"), (5, 422, "invalid_session")]
    );
    let values = [json!({"p": 1}), json!({"q": 2}), json!({"n": {"b": "x"}})];
    case.assert_points(
        0,
        &[
            ("some", 1, values[0].clone()),
            ("some", 2, values[1].clone()),
            ("some", 3, values[2].clone()),
        ],
    )
    .await;
    let parameters =
        "series=some&start_time=2025-01-01&end_time=2025-01-02&interval=all&agg_func=count";
    let rows = results(&case.app.timeseries(case.user, parameters).await.expect(200));
    assert_eq!(
        as_floats(&rows[0]["value"]),
        json!({"p": 1.0, "q": 1.0}),
        "absent cells do not count"
    );
    case.check_database().await;
}

async fn the_column_value_holds_bare_values(backend: Backend) {
    let case = Case::new(backend).await;
    add_text_series(&case.app).await;
    for (series, schema) in [
        ("bare", json!({"type": "number"})),
        ("words", json!({"type": "string"})),
        ("flags", json!({"type": "boolean"})),
        (
            "lists",
            json!({"type": "array", "items": {"type": "number"}}),
        ),
    ] {
        case.app.metric_type(series, &schema).await;
    }
    let result = case
        .send(&[
            "user_id,session_id,series,time,value,r,g,b",
            "U,S0,bare,2025-01-01T00:00:01Z,7.25,,,",
            "U,S0,words,2025-01-01T00:00:02Z,good,,,",
            r#"U,S0,words,2025-01-01T00:00:03Z,"""7""",,,"#,
            "U,S0,flags,2025-01-01T00:00:04Z,true,,,",
            r"U,S0,lists,2025-01-01T00:00:05Z,[1],,,",
            "U,S0,session.gut_health_score,2025-01-01T00:00:06Z,8,,,",
            "U,S0,session.example.series,2025-01-01T00:00:07Z,well,,,",
            "U,S0,session.urine.color,2025-01-01T00:00:08Z,,1,2,3",
            "U,S1,bare,2025-01-01T00:00:01Z,high,,,",
            "U,S2,words,2025-01-01T00:00:01Z,7,,,",
            "U,S3,session.example.series,2025-01-01T00:00:01Z,7,,,",
        ])
        .await;
    let rejected = |line| (line, 422, "invalid_session");
    assert_eq!(
        result.outcomes(),
        [
            (2, 201, "created"),
            rejected(10),
            rejected(11),
            rejected(12)
        ]
    );
    for (verdict, line) in [(1, 10), (2, 11), (3, 12)] {
        assert_eq!(
            result.faults(verdict),
            [format!("/{line}/value schema_violation")]
        );
    }
    let expected = [
        ("bare", 1, json!(7.25)),
        ("words", 2, json!("good")),
        ("words", 3, json!("7")),
        ("flags", 4, json!(true)),
        ("lists", 5, json!([1])),
        (SCORE, 6, json!({"value": 8})),
        (NOTE, 7, json!({"value": "well"})),
        (crate::common::COLOR, 8, json!({"r": 1, "g": 2, "b": 3})),
    ];
    case.assert_points(0, &expected).await;
    case.check_database().await;
}

async fn values_keep_all_digits(backend: Backend) {
    let case = Case::new(backend).await;
    let cells = [
        "9007199254740993",
        "123456789012345678901234567890",
        "0.1",
        "5e-324",
        "1e140",
        "-0.0",
    ];
    let values = leaves(&case, 0, &cells).await;
    for (value, cell) in values.iter().zip(&cells) {
        let bits = |number: Option<f64>| number.expect("a number").to_bits();
        assert_eq!(bits(value["x"].as_f64()), bits(cell.parse().ok()), "{cell}");
    }
    let text = case
        .app
        .get(&format!("/api/sessions/{}/points/", case.ids[0]))
        .await
        .expect(200)
        .text;
    for digits in &cells[..3] {
        assert!(
            text.contains(&format!(r#""x":{digits}}}"#)),
            "{digits}: {text}"
        );
    }
    case.check_database().await;
}

async fn cells_are_validated_like_values(backend: Backend) {
    let case = Case::new(backend).await;
    case.app
        .metric_type("any", &json!({"type": "object"}))
        .await;
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    for cell in [
        "1e141",
        "-1e141",
        r#""""\u0000""""#,
        r#""""\ud800""""#,
        r#""{""a"":1,""a"":2}""#,
        &deep,
    ] {
        let row = format!("U,S0,any,2025-01-01T00:00:01Z,{cell}");
        let result = case.send(&["user_id,session_id,series,time,x", &row]).await;
        assert!(
            result.verdicts.len() == 1 && result.verdicts[0]["status"] != 201,
            "{cell}: {:?}",
            result.verdicts
        );
        result.assert_end(&[("failed", 1)], 0);
    }
    case.assert_absent(0).await;
    case.check_database().await;
}
