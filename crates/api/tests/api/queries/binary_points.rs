//! Points as Arrow and Parquet, and large results.

use arrow::datatypes::DataType;
use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use super::binary_formats::{
    FORMATS, aggregates, column, floats, instants, integers, points, some, texts, three_scores,
};
use crate::common::{COLOR, SCORE, START, point, score, store};
use crate::on_both_servers;
use crate::queries::support::{WORDS, at};

on_both_servers![
    texts_are_dictionaries,
    points_are_typed_columns,
    weights_are_integers,
    many_rows_are_complete_and_in_order,
    numbers_round_trip_bit_for_bit,
];

async fn texts_are_dictionaries(backend: Backend) {
    let (app, user, _) = three_scores(backend).await;
    for format in FORMATS {
        let table = points(&app, format, user, &[]).await;
        for name in ["series", "session_id", "leaf", "text"] {
            let kind = column(&table, name).data_type().clone();
            let expected_type =
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            assert_eq!(kind, expected_type, "{format} {name}");
        }
    }
}

async fn points_are_typed_columns(backend: Backend) {
    let (app, _, _) = three_scores(backend).await;
    let user = Uuid::new_v4();
    let data = [
        score("2025-01-01T00:00:00.000001Z", 2.5),
        point(WORDS, &at(1), &json!("fine")),
        point(COLOR, &at(2), &json!({"r": 1, "g": 2, "b": 3, "by": "eye"})),
    ];
    let id = store(&app, user, START, &data).await.to_string();
    for format in FORMATS {
        let table = points(&app, format, user, &[]).await;
        assert_eq!(
            instants(&table, "time"),
            [1, 1_000_000, 2_000_000, 2_000_000, 2_000_000, 2_000_000]
        );
        assert_eq!(
            texts(&table, "series"),
            some(&[SCORE, WORDS, COLOR, COLOR, COLOR, COLOR])
        );
        assert_eq!(texts(&table, "session_id"), some(&[&*id; 6]));
        let cells = texts(&table, "leaf")
            .into_iter()
            .zip(floats(&table, "value"))
            .zip(texts(&table, "text"));
        let mut cells: Vec<_> = cells
            .map(|((leaf, value), text)| format!("{leaf:?} {value:?} {text:?}"))
            .collect();
        cells.sort();
        let mut expected = [
            r#"Some("value") Some(2.5) None"#,
            r#"None None Some("\"fine\"")"#,
            r#"Some("r") Some(1.0) None"#,
            r#"Some("g") Some(2.0) None"#,
            r#"Some("b") Some(3.0) None"#,
            r#"None None Some("{\"by\":\"eye\"}")"#,
        ];
        expected.sort_unstable();
        assert_eq!(cells, expected);
        assert!(table.column_by_name("weight").is_none());
    }
}

async fn weights_are_integers(backend: Backend) {
    let (app, user, _) = three_scores(backend).await;
    for format in FORMATS {
        let table = points(&app, format, user, &[("max_points", "3")]).await;
        assert_eq!(floats(&table, "value"), [Some(1.5), Some(2.5), Some(4.0)]);
        assert_eq!(integers(&table, "weight"), [Some(1), Some(1), Some(1)]);
    }
}

/// More points than any page or batch is likely to hold.
async fn many_rows_are_complete_and_in_order(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    for part in 0..4 {
        let start = part * 5_000;
        let data: Vec<_> = (start..start + 5_000)
            .map(|i: i32| score(&at(i.into()), f64::from(i)))
            .collect();
        let _ = store(&app, user, START, &data).await;
    }
    let seconds: Vec<_> = (0..20_000_i64).map(|i| i * 1_000_000).collect();
    let values: Vec<_> = (0..20_000).map(|i| Some(f64::from(i))).collect();
    for format in FORMATS {
        let table = points(&app, format, user, &[]).await;
        assert!(
            instants(&table, "time") == seconds && floats(&table, "value") == values,
            "points as {format}"
        );
        let table = aggregates(
            &app,
            format,
            user,
            &[("interval", "1s"), ("agg_func", "max")],
        )
        .await;
        assert!(
            instants(&table, "bucket") == seconds && floats(&table, "value") == values,
            "aggregates as {format}"
        );
    }
}

async fn numbers_round_trip_bit_for_bit(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let exact = [0.1 + 0.2, 5e-324, -1.797e-300, -0.0, 1.0 / 3.0];
    let data: Vec<_> = (0..).zip(exact).map(|(i, v)| score(&at(i), v)).collect();
    let _ = store(&app, user, START, &data).await;
    let bits = |all: &[Option<f64>]| all.iter().map(|v| v.map(f64::to_bits)).collect::<Vec<_>>();
    for format in FORMATS {
        let table = points(&app, format, user, &[]).await;
        assert_eq!(bits(&floats(&table, "value")), bits(&exact.map(Some)));
    }
}
