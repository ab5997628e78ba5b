//! Data uploaded as CSV is exported like the same data posted as JSON.

use std::fmt::Write;

use reqwest::Method;
use serde_json::{Value, json};
use time_series_testkit::Backend;
use uuid::Uuid;

use super::Case;
use crate::common::{COLOR, NOTE, SCORE, add_text_series, as_floats, get_timeseries, results};
use crate::on_both_servers;
use crate::sessions::bulk_result::BulkResult;

on_both_servers![csv_exports_equal_those_of_the_same_json];

/// Series, values, and the cells of `value`, `r`, `g`, `b`, `pos.x`, `pos.y`, `note`.
fn values_and_cells(i: u32) -> Vec<(&'static str, Value, String)> {
    let v = f64::from(i) / 8.0 - 100.0;
    vec![
        (SCORE, json!({"value": v}), format!("{v},,,,,,")),
        (
            COLOR,
            json!({"r": i, "g": -v, "b": 0.1}),
            format!(",{i},{},0.1,,,", -v),
        ),
        (
            "track",
            json!({"pos": {"x": v, "y": i}}),
            format!(",,,,{v},{i},"),
        ),
        (
            "track",
            json!({"pos": {"x": 1e-7}}),
            ",,,,1e-7,,".to_owned(),
        ),
        ("bare", json!(v), format!("{v},,,,,,")),
        (
            "words",
            json!(format!("a \"{i}\", b")),
            format!("\"a \"\"{i}\"\", b\",,,,,,"),
        ),
        (
            NOTE,
            json!({"value": "\u{e9}\n"}),
            "\"\"\"\u{e9}\\n\"\"\",,,,,,".to_owned(),
        ),
        (
            SCORE,
            json!({"value": i, "note": {"a": [i, null]}}),
            format!("{i},,,,,,\"{{\"\"a\"\":[{i},null]}}\""),
        ),
        (
            SCORE,
            json!({"value": 9_007_199_254_740_993_i64, "note": true}),
            "9007199254740993,,,,,,true".to_owned(),
        ),
    ]
}

async fn csv_exports_equal_those_of_the_same_json(backend: Backend) {
    let case = Case::new(backend).await;
    add_text_series(&case.app).await;
    let number = json!({"type": "number"});
    let pos =
        json!({"type": "object", "properties": {"x": number, "y": number}, "required": ["x"]});
    case.app
        .metric_type(
            "track",
            &json!({"type": "object", "properties": {"pos": pos}, "required": ["pos"]}),
        )
        .await;
    case.app.metric_type("bare", &number).await;
    case.app
        .metric_type("words", &json!({"type": "string"}))
        .await;
    let other = Uuid::new_v4();
    let mut csv = "user_id,session_id,series,time,value,r,g,b,pos.x,pos.y,note\n".to_owned();
    let mut bodies = Vec::new();
    for (number, id) in case.ids.iter().enumerate() {
        let mut data = Vec::new();
        for i in 0..60_u32 {
            for (n, (series, value, cells)) in values_and_cells(i).into_iter().enumerate() {
                let time = format!(
                    "2025-01-{:02}T{:02}:{:02}:00.{n}Z",
                    1 + i % 3,
                    number,
                    i * 7 % 60
                );
                writeln!(csv, "{},{id},{series},{time},{cells}", case.user)
                    .expect("a string grows");
                data.push(json!({"series": series, "time": time, "value": value}));
            }
        }
        bodies.push(json!({"user_id": other, "session_id": id, "data": data}).to_string());
    }
    let result = BulkResult::read(&case.post("", csv.as_bytes()).await);
    assert_eq!(result.end["created"], 8, "{:?}", result.verdicts);
    let result = BulkResult::read(&case.app.post_text(super::PATH, &bodies.join("\n")).await);
    assert_eq!(result.end["created"], 8, "{:?}", result.verdicts);
    for format in ["ndjson", "csv"] {
        let get = async |user: Uuid| {
            let path = format!("/api/points/?user_id={user}&format={format}");
            case.app
                .request(Method::GET, &path, None, &[])
                .await
                .expect(200)
                .text
        };
        let (one, other) = (get(case.user).await, get(other).await);
        assert_eq!(one.lines().count(), other.lines().count());
        for (one, other) in one.lines().zip(other.lines()) {
            assert_eq!(one, other, "{format}");
        }
    }
    for (functions, series) in [
        ("count,sum,median,first,last,time_avg", "session.*"),
        ("mode,distinct,count", "*"),
    ] {
        let parameters = [
            ("series", series),
            ("agg_func", functions),
            ("interval", "6h"),
            ("start_time", "2025-01-01"),
            ("end_time", "2025-01-05"),
        ];
        let rows = async |user: Uuid| -> Vec<Value> {
            results(
                &get_timeseries(&case.app, user, &parameters)
                    .await
                    .expect(200),
            )
            .iter()
            .map(as_floats)
            .collect()
        };
        assert_eq!(rows(case.user).await, rows(other).await, "{functions}");
    }
    case.check_database().await;
}
