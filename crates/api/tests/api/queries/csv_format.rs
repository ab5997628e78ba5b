//! CSV, byte by byte.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::text_formats::{ODD, lines, three_scores};
use crate::common::{COLOR, START, point, store};
use crate::on_both_servers;
use crate::queries::support::{WORDS, csv_table, january, points, with_all_series};

on_both_servers![
    aggregates_as_csv,
    several_functions_are_columns_of_a_csv,
    groups_are_columns_of_a_csv,
    labels_keep_the_offset_in_a_csv,
    points_as_csv,
    csv_has_one_row_per_leaf,
    text_is_quoted_if_needed,
    no_text_of_a_csv_is_a_formula,
];

async fn aggregates_as_csv(backend: Backend) {
    let (app, user, _) = three_scores(backend).await;
    let response = january(
        &app,
        user,
        &[("interval", "day"), ("agg_func", "max"), ("format", "csv")],
    )
    .await
    .expect(200);
    let expected = [
        "bucket,series,leaf,value",
        "2025-01-01T00:00:00Z,session.gut_health_score,value,2.5",
        "2025-01-02T00:00:00Z,session.gut_health_score,value,4.25",
    ];
    assert_eq!(lines(&response.text), expected);
}

async fn several_functions_are_columns_of_a_csv(backend: Backend) {
    let (app, user, _) = three_scores(backend).await;
    let parameters = [
        ("interval", "day"),
        ("agg_func", "min,p25,count"),
        ("format", "csv"),
    ];
    let response = january(&app, user, &parameters).await.expect(200);
    let expected = [
        "bucket,series,leaf,min,p25,count",
        "2025-01-01T00:00:00Z,session.gut_health_score,value,1.5,1.75,2",
        "2025-01-02T00:00:00Z,session.gut_health_score,value,4.25,4.25,1",
    ];
    assert_eq!(lines(&response.text), expected);
}

async fn groups_are_columns_of_a_csv(backend: Backend) {
    let (app, user, id) = three_scores(backend).await;
    let parameters = [
        ("group_by", "session"),
        ("agg_func", "max"),
        ("format", "csv"),
    ];
    let response = january(&app, user, &parameters).await.expect(200);
    let row = format!("2025-01-01T00:00:00Z,{user},{id},session.gut_health_score,value,4.25");
    assert_eq!(
        lines(&response.text),
        ["bucket,user_id,session_id,series,leaf,value", &*row]
    );
    let parameters = [
        ("group_by", "user"),
        ("interval", "all"),
        ("agg_func", "max"),
        ("format", "csv"),
    ];
    let response = january(&app, user, &parameters).await.expect(200);
    let row = format!("2025-01-01T00:00:00Z,{user},session.gut_health_score,value,4.25");
    assert_eq!(
        lines(&response.text),
        ["bucket,user_id,series,leaf,value", &*row]
    );
}

async fn labels_keep_the_offset_in_a_csv(backend: Backend) {
    let (app, user, _) = three_scores(backend).await;
    let parameters = [
        ("interval", "all"),
        ("agg_func", "max"),
        ("tz", "Asia/Kathmandu"),
        ("format", "csv"),
    ];
    let response = january(&app, user, &parameters).await.expect(200);
    assert_eq!(
        lines(&response.text)[1],
        "2025-01-01T00:00:00+05:45,session.gut_health_score,value,4.25"
    );
    let parameters = [
        ("interval", "10s"),
        ("align", "session"),
        ("agg_func", "count"),
        ("format", "csv"),
    ];
    let response = january(&app, user, &parameters).await.expect(200);
    let expected = [
        "bucket,series,leaf,value",
        "PT0S,session.gut_health_score,value,2",
        "PT24H,session.gut_health_score,value,1",
    ];
    assert_eq!(lines(&response.text), expected);
}

async fn points_as_csv(backend: Backend) {
    let (app, user, id) = three_scores(backend).await;
    let response = points(&app, user, &[("format", "csv")]).await.expect(200);
    let row =
        |time: &str, value: &str| format!("{time},session.gut_health_score,{id},value,{value},");
    let expected = [
        "time,series,session_id,leaf,value,text".to_owned(),
        row("2025-01-01T00:00:00Z", "1.5"),
        row("2025-01-01T00:00:01.25Z", "2.5"),
        row("2025-01-02T00:00:00Z", "4.25"),
        "# end of 3 rows".to_owned(),
    ];
    assert_eq!(lines(&response.text), expected);
    let response = points(
        &app,
        user,
        &[("format", "csv"), ("order", "desc"), ("limit", "1")],
    )
    .await
    .expect(200);
    assert_eq!(
        lines(&response.text),
        [&*expected[0], &*expected[3], "# end of 1 rows"]
    );
}

async fn csv_has_one_row_per_leaf(backend: Backend) {
    let (app, _, _) = three_scores(backend).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 0.5, "g": 1.5, "b": 2.5, "by": "eye"});
    let _ = store(&app, user, START, &[point(COLOR, START, &rgb)]).await;
    let (_, rows, end) = csv_table(
        &points(&app, user, &[("format", "csv")])
            .await
            .expect(200)
            .text,
    );
    let mut cells: Vec<_> = rows
        .iter()
        .map(|row| [&row["leaf"], &row["value"], &row["text"]].map(Value::as_str))
        .collect();
    cells.sort();
    let some = |leaf, value, text| [Some(leaf), Some(value), Some(text)];
    let expected = [
        some("", "", r#"{"by":"eye"}"#),
        some("b", "2.5", ""),
        some("g", "1.5", ""),
        some("r", "0.5", ""),
    ];
    assert_eq!(cells, expected);
    assert_eq!(end.as_deref(), Some("# end of 4 rows"), "rows, not points");
    let (_, rows, end) = csv_table(
        &january(&app, user, &[("format", "csv")])
            .await
            .expect(200)
            .text,
    );
    assert_eq!((rows.len(), end), (3, None));
}

async fn text_is_quoted_if_needed(backend: Backend) {
    let (app, _, _) = three_scores(backend).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (0..)
        .zip(ODD)
        .map(|(i, text)| point(WORDS, &crate::queries::support::at(i), &json!(text)))
        .collect();
    let _ = store(&app, user, START, &data).await;
    let response = points(&app, user, &[("format", "csv")]).await.expect(200);
    let (_, rows, end) = csv_table(&response.text);
    let text = |row: &serde_json::Map<String, Value>| -> Value {
        let cell = row["text"].as_str().expect("a cell");
        serde_json::from_str(cell).unwrap_or_else(|e| panic!("{e}: {cell:?} is not JSON"))
    };
    assert_eq!(
        rows.iter().map(text).collect::<Vec<_>>(),
        ODD.map(|odd| json!(odd))
    );
    assert!(
        rows.iter()
            .all(|row| row["leaf"] == "" && row["value"] == ""),
        "{}",
        response.text
    );
    assert_eq!(end.as_deref(), Some("# end of 7 rows"));
}

async fn no_text_of_a_csv_is_a_formula(backend: Backend) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    for text in [
        "=cmd|' /C calc'!A0",
        "+1",
        "@SUM(A1)",
        "-2+3",
        "\t=1",
        "#ref",
        "",
    ] {
        let user = Uuid::new_v4();
        let _ = store(&app, user, START, &[point(WORDS, START, &json!(text))]).await;
        let parameters = [
            ("interval", "all"),
            ("agg_func", "last,mode,count"),
            ("format", "csv"),
        ];
        let aggregates = january(&app, user, &parameters).await.expect(200);
        let points = points(&app, user, &[("format", "csv"), ("end", "none")])
            .await
            .expect(200);
        for (csv, cells) in [(&aggregates, 2), (&points, 1)] {
            let (_, rows, _) = csv_table(&csv.text);
            let actual: Vec<&str> = rows[0].values().filter_map(Value::as_str).collect();
            let quoted = json!(text).to_string();
            assert_eq!(
                actual.iter().filter(|cell| **cell == quoted).count(),
                cells,
                "as JSON: {}",
                csv.text
            );
            assert!(
                actual
                    .iter()
                    .all(|cell| !cell.starts_with(['=', '+', '@', '-', '\t'])),
                "{}",
                csv.text
            );
        }
    }
}
