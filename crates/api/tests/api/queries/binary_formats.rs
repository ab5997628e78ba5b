//! Arrow and Parquet, decoded with independent readers.

use std::io::Cursor;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{
    DataType, DurationMicrosecondType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, START, START_SECONDS, point, score, store};
use crate::on_both_servers;
use crate::queries::JANUARY;
use crate::queries::support::{Pairs, WORDS, url, with_all_series};

on_both_servers![
    aggregates_are_typed_columns,
    counts_are_integers,
    texts_have_their_own_column,
    groups_are_columns,
    offsets_are_durations,
    buckets_are_in_the_requested_zone,
    an_empty_result_has_its_columns,
];

pub(super) const FORMATS: [&str; 2] = ["arrow", "parquet"];

/// A response in a binary format, with all its batches concatenated.
pub(super) async fn table(
    app: &TestApp,
    format: &str,
    path: &str,
    parameters: &Pairs<'_>,
) -> RecordBatch {
    let path = url(path, &[parameters, &[("format", format)]].concat());
    let response = reqwest::get(format!("{}{path}", app.url))
        .await
        .expect("a response");
    assert_eq!(response.status().as_u16(), 200, "{path}");
    let bytes = response.bytes().await.expect("a body");
    let (schema, batches) = if format == "arrow" {
        let reader = StreamReader::try_new(Cursor::new(bytes), None).expect("an IPC stream");
        (
            reader.schema(),
            reader.collect::<Result<Vec<_>, _>>().expect("batches"),
        )
    } else {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).expect("a Parquet file");
        let reader = builder.build().expect("a reader");
        (
            arrow::array::RecordBatchReader::schema(&reader),
            reader.collect::<Result<Vec<_>, _>>().expect("batches"),
        )
    };
    concat_batches(&schema, &batches).expect("batches of one schema")
}

pub(super) async fn aggregates(
    app: &TestApp,
    format: &str,
    user: Uuid,
    parameters: &Pairs<'_>,
) -> RecordBatch {
    let user = user.to_string();
    table(
        app,
        format,
        "/api/timeseries/",
        &[&JANUARY[..], &[("user_id", &*user)], parameters].concat(),
    )
    .await
}

pub(super) async fn points(
    app: &TestApp,
    format: &str,
    user: Uuid,
    parameters: &Pairs<'_>,
) -> RecordBatch {
    table(
        app,
        format,
        "/api/points/",
        &[&[("user_id", &*user.to_string())], parameters].concat(),
    )
    .await
}

#[track_caller]
pub(super) fn column<'a>(table: &'a RecordBatch, name: &str) -> &'a dyn Array {
    table
        .column_by_name(name)
        .unwrap_or_else(|| panic!("no column {name} in {:?}", table.schema()))
        .as_ref()
}

/// A text column, in any encoding.
#[track_caller]
pub(super) fn texts(table: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = cast(column(table, name), &DataType::Utf8).expect("texts");
    column
        .as_string::<i32>()
        .iter()
        .map(|text| text.map(str::to_owned))
        .collect()
}

#[track_caller]
pub(super) fn floats(table: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    let column = column(table, name);
    assert_eq!(column.data_type(), &DataType::Float64, "{name}");
    column.as_primitive::<Float64Type>().iter().collect()
}

#[track_caller]
pub(super) fn integers(table: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    let column = column(table, name);
    assert_eq!(column.data_type(), &DataType::Int64, "{name}");
    column.as_primitive::<Int64Type>().iter().collect()
}

/// A timestamp column, in microseconds since `START`.
#[track_caller]
pub(super) fn instants(table: &RecordBatch, name: &str) -> Vec<i64> {
    instants_in(table, name, "UTC")
}

/// A timestamp column with a time zone, in microseconds since `START`.
#[track_caller]
fn instants_in(table: &RecordBatch, name: &str, expected_zone: &str) -> Vec<i64> {
    let column = column(table, name);
    let DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) = column.data_type() else {
        panic!("{name} is {:?}", column.data_type())
    };
    assert_eq!(&**zone, expected_zone, "{name}");
    assert_eq!(column.null_count(), 0, "{name}");
    column
        .as_primitive::<TimestampMicrosecondType>()
        .values()
        .iter()
        .map(|t| t - START_SECONDS * 1_000_000)
        .collect()
}

pub(super) fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

const DAY: i64 = 86_400_000_000;

pub(super) async fn three_scores(backend: Backend) -> (TestApp, Uuid, Uuid) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let data = [
        score(START, 1.5),
        score("2025-01-01T00:00:00.000001Z", 2.5),
        score("2025-01-02T00:00:00Z", 4.0),
    ];
    let id = store(&app, user, START, &data).await;
    (app, user, id)
}

async fn aggregates_are_typed_columns(backend: Backend) {
    let (app, user, _) = three_scores(backend).await;
    for format in FORMATS {
        let table = aggregates(&app, format, user, &[("interval", "day")]).await;
        assert_eq!(instants(&table, "bucket"), [0, DAY]);
        assert_eq!(texts(&table, "series"), some(&[SCORE, SCORE]));
        assert_eq!(texts(&table, "leaf"), some(&["value", "value"]));
        assert_eq!(floats(&table, "value"), [Some(2.0), Some(4.0)]);
    }
}

async fn counts_are_integers(backend: Backend) {
    let (app, user, _) = three_scores(backend).await;
    for format in FORMATS {
        let rows = aggregates(
            &app,
            format,
            user,
            &[("interval", "day"), ("agg_func", "count")],
        )
        .await;
        assert_eq!(integers(&rows, "value"), [Some(2), Some(1)]);
        let query = [("interval", "day"), ("agg_func", "avg,count,stddev,p75")];
        let rows = aggregates(&app, format, user, &query).await;
        assert_eq!(integers(&rows, "count"), [Some(2), Some(1)]);
        assert_eq!(floats(&rows, "avg"), [Some(2.0), Some(4.0)]);
        assert_eq!(floats(&rows, "p75"), [Some(2.25), Some(4.0)]);
        let deviations = floats(&rows, "stddev");
        assert!(
            (deviations[0].expect("of two") - 0.5_f64.sqrt()).abs() < 1e-12,
            "{deviations:?}"
        );
        assert_eq!(deviations[1], None, "of one");
        let id = user.to_string();
        let range = [
            ("user_id", &*id),
            ("start_time", "2025-01-01"),
            ("end_time", "2025-01-04"),
        ];
        let filled = [
            ("interval", "day"),
            ("agg_func", "max,count"),
            ("fill", "null"),
        ];
        let gaps = table(&app, format, "/api/timeseries/", &[range, filled].concat()).await;
        assert_eq!(floats(&gaps, "max"), [Some(2.5), Some(4.0), None]);
        assert_eq!(integers(&gaps, "count"), [Some(2), Some(1), Some(0)]);
    }
}

async fn texts_have_their_own_column(backend: Backend) {
    let (app, _, _) = three_scores(backend).await;
    let user = Uuid::new_v4();
    let odd = "a, \"b\"\nünï";
    let _ = store(
        &app,
        user,
        START,
        &[point(WORDS, START, &json!(odd)), score(START, 7.0)],
    )
    .await;
    let whole =
        |cell: &str| cell == odd || serde_json::from_str::<Value>(cell).is_ok_and(|v| v == odd);
    for format in FORMATS {
        let table = aggregates(
            &app,
            format,
            user,
            &[("interval", "all"), ("agg_func", "last")],
        )
        .await;
        assert_eq!(texts(&table, "series"), some(&[SCORE, WORDS]));
        assert_eq!(texts(&table, "leaf"), [Some("value".to_owned()), None]);
        assert_eq!(floats(&table, "value"), [Some(7.0), None]);
        let cells = texts(&table, "value_text");
        assert_eq!(cells[0], None);
        assert!(cells[1].as_deref().is_some_and(whole), "{cells:?}");
        let table = aggregates(
            &app,
            format,
            user,
            &[("interval", "all"), ("agg_func", "last,count")],
        )
        .await;
        assert_eq!(integers(&table, "count"), [Some(1), Some(1)]);
        assert_eq!(floats(&table, "last"), [Some(7.0), None]);
        assert!(texts(&table, "last_text")[1].as_deref().is_some_and(whole));
    }
}

async fn groups_are_columns(backend: Backend) {
    let (app, user, id) = three_scores(backend).await;
    for format in FORMATS {
        let table = aggregates(
            &app,
            format,
            user,
            &[("group_by", "session"), ("agg_func", "max")],
        )
        .await;
        assert_eq!(texts(&table, "user_id"), some(&[&user.to_string()]));
        assert_eq!(texts(&table, "session_id"), some(&[&id.to_string()]));
        assert_eq!(
            (instants(&table, "bucket"), floats(&table, "value")),
            (vec![0], vec![Some(4.0)])
        );
        let query = [
            ("group_by", "user"),
            ("interval", "day"),
            ("agg_func", "max"),
        ];
        let table = aggregates(&app, format, user, &query).await;
        assert_eq!(
            texts(&table, "user_id"),
            some(&[&user.to_string(), &user.to_string()])
        );
        assert!(table.column_by_name("session_id").is_none());
    }
}

async fn offsets_are_durations(backend: Backend) {
    let (app, user, _) = three_scores(backend).await;
    for format in FORMATS {
        let query = [
            ("align", "session"),
            ("interval", "90m"),
            ("agg_func", "max"),
        ];
        let table = aggregates(&app, format, user, &query).await;
        let bucket = column(&table, "bucket");
        assert_eq!(
            bucket.data_type(),
            &DataType::Duration(TimeUnit::Microsecond),
            "{format}"
        );
        let offsets = bucket
            .as_primitive::<DurationMicrosecondType>()
            .values()
            .to_vec();
        assert_eq!(offsets, [0, DAY], "{format}");
        assert_eq!(floats(&table, "value"), [Some(2.5), Some(4.0)]);
    }
}

async fn buckets_are_in_the_requested_zone(backend: Backend) {
    let (app, user, _) = three_scores(backend).await;
    for format in FORMATS {
        let query = [
            ("interval", "day"),
            ("tz", "Asia/Kathmandu"),
            ("agg_func", "count"),
        ];
        let table = aggregates(&app, format, user, &query).await;
        let local = -(5 * 3600 + 45 * 60) * 1_000_000;
        assert_eq!(
            instants_in(&table, "bucket", "Asia/Kathmandu"),
            [local, local + DAY]
        );
    }
}

async fn an_empty_result_has_its_columns(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    for format in FORMATS {
        let table = aggregates(&app, format, user, &[]).await;
        assert_eq!(
            (instants(&table, "bucket"), floats(&table, "value")),
            (Vec::new(), Vec::new())
        );
        assert!(texts(&table, "series").is_empty() && texts(&table, "leaf").is_empty());
        let table = points(&app, format, user, &[]).await;
        assert_eq!(
            (instants(&table, "time"), floats(&table, "value")),
            (Vec::new(), Vec::new())
        );
        assert!(texts(&table, "text").is_empty() && texts(&table, "session_id").is_empty());
    }
}
