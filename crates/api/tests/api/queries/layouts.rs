//! Nested and flat rows, and columns.

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, NOTE, SCORE, START, point, results, score, store};
use crate::on_both_servers;
use crate::queries::support::{at, january, metadata, points, unordered, with_all_series};

on_both_servers![
    a_flat_row_holds_one_leaf,
    a_flat_row_has_a_column_for_each_function,
    a_flat_row_names_its_group,
    functions_across_groups_are_columns_of_flat_rows,
    a_leaf_without_points_in_the_bucket_has_no_row,
    columns_have_one_object_per_leaf,
    columns_of_several_functions,
    columns_of_groups,
    nested_leaves_are_dotted_in_flat_rows,
    flat_points_have_one_row_per_leaf_and_one_for_the_rest,
];

const NEXT: &str = "2025-01-02T00:00:00Z";

/// Stores scores and a colour on two days, a text on the first.
async fn two_days(backend: Backend) -> (TestApp, Uuid, Uuid) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let data = [
        score(START, 1.0),
        score(&at(1), 3.0),
        score(NEXT, 5.0),
        point(COLOR, START, &json!({"r": 10, "g": 20, "b": 30})),
        point(COLOR, NEXT, &json!({"r": 11, "g": 21, "b": 31})),
        point(NOTE, START, &json!({"value": "fine"})),
    ];
    let id = store(&app, user, START, &data).await;
    (app, user, id)
}

fn cell(bucket: &str, series: &str, leaf: &str, value: f64) -> Value {
    json!({"bucket": bucket, "series": series, "leaf": leaf, "value": value})
}

async fn a_flat_row_holds_one_leaf(backend: Backend) {
    let (app, user, _) = two_days(backend).await;
    let response = january(&app, user, &[("interval", "day"), ("shape", "flat")])
        .await
        .expect(200);
    let rows = results(&response);
    let expected = [
        cell(START, SCORE, "value", 2.0),
        cell(NEXT, SCORE, "value", 5.0),
        cell(START, COLOR, "r", 10.0),
        cell(START, COLOR, "g", 20.0),
        cell(START, COLOR, "b", 30.0),
        cell(NEXT, COLOR, "r", 11.0),
        cell(NEXT, COLOR, "g", 21.0),
        cell(NEXT, COLOR, "b", 31.0),
    ];
    assert_eq!(unordered(&rows), unordered(&expected), "{}", response.text);
    let order: Vec<_> = rows
        .iter()
        .map(|row| [&row["series"], &row["bucket"]].map(ToString::to_string))
        .collect();
    assert!(
        order.is_sorted(),
        "by series, then bucket: {}",
        response.text
    );
    assert_eq!(metadata(&response)["count"], 8, "the rows in this shape");
    let nested = january(&app, user, &[("interval", "day"), ("shape", "nested")])
        .await
        .expect(200);
    assert_eq!(
        nested.json(),
        january(&app, user, &[("interval", "day")])
            .await
            .expect(200)
            .json()
    );
    assert_eq!(metadata(&nested)["count"], 4);
}

async fn a_flat_row_has_a_column_for_each_function(backend: Backend) {
    let (app, user, _) = two_days(backend).await;
    let parameters = [
        ("interval", "day"),
        ("series", SCORE),
        ("agg_func", "max,count"),
        ("shape", "flat"),
    ];
    let rows = results(&january(&app, user, &parameters).await.expect(200));
    let row = |bucket: &str, max: f64, count: u64| {
        json!({
            "bucket": bucket, "series": SCORE, "leaf": "value", "max": max, "count": count
        })
    };
    assert_eq!(
        unordered(&rows),
        unordered(&[row(START, 3.0, 2), row(NEXT, 5.0, 1)])
    );
    assert!(
        rows.iter().all(|row| row["count"].is_u64()),
        "a count is an integer: {rows:?}"
    );
    let parameters = [
        ("series", NOTE),
        ("agg_func", "first,count"),
        ("shape", "flat"),
    ];
    let rows = results(&january(&app, user, &parameters).await.expect(200));
    let text = json!({"bucket": "2024-12-30T00:00:00Z", "series": NOTE, "leaf": null, "first": "fine", "count": 1});
    assert_eq!(unordered(&rows), unordered(&[text]));
}

async fn a_flat_row_names_its_group(backend: Backend) {
    let (app, user, id) = two_days(backend).await;
    let parameters = [
        ("series", SCORE),
        ("group_by", "session"),
        ("shape", "flat"),
    ];
    let row = json!({
        "bucket": START, "user_id": user, "session_id": id, "series": SCORE, "leaf": "value", "value": 3
    });
    assert_eq!(
        unordered(&results(&january(&app, user, &parameters).await)),
        unordered(std::slice::from_ref(&row))
    );
    let parameters = [
        ("series", SCORE),
        ("group_by", "user"),
        ("interval", "all"),
        ("shape", "flat"),
    ];
    let mut row = row;
    row.as_object_mut().expect("an object").remove("session_id");
    assert_eq!(
        unordered(&results(&january(&app, user, &parameters).await)),
        unordered(&[row])
    );
}

async fn functions_across_groups_are_columns_of_flat_rows(backend: Backend) {
    let (app, user, _) = two_days(backend).await;
    let _ = store(&app, user, START, &[score(START, 7.0)]).await;
    let parameters = [
        ("series", SCORE),
        ("agg_func", "avg,max"),
        ("over", "median,count"),
        ("interval", "month"),
        ("shape", "flat"),
    ];
    let row = json!({
        "bucket": START, "series": SCORE, "leaf": "value",
        "avg_median": 5, "avg_count": 2, "max_median": 6, "max_count": 2
    });
    assert_eq!(
        unordered(&results(&january(&app, user, &parameters).await)),
        unordered(&[row])
    );
}

async fn a_leaf_without_points_in_the_bucket_has_no_row(backend: Backend) {
    let app = TestApp::start(backend).await;
    let number = json!({"type": "number"});
    app.metric_type(
        "pair",
        &json!({"type": "object", "properties": {"a": number, "b": number}}),
    )
    .await;
    let user = Uuid::new_v4();
    let data = [
        point("pair", START, &json!({"a": 1, "b": 2})),
        point("pair", NEXT, &json!({"b": 4})),
    ];
    let _ = store(&app, user, START, &data).await;
    let response = january(&app, user, &[("interval", "day"), ("shape", "flat")])
        .await
        .expect(200);
    let expected = [
        cell(START, "pair", "a", 1.0),
        cell(START, "pair", "b", 2.0),
        cell(NEXT, "pair", "b", 4.0),
    ];
    assert_eq!(unordered(&results(&response)), unordered(&expected));
}

async fn columns_have_one_object_per_leaf(backend: Backend) {
    let (app, user, _) = two_days(backend).await;
    let response = january(&app, user, &[("interval", "day"), ("layout", "columns")])
        .await
        .expect(200);
    let column = |series: &str, leaf: &str, values: [f64; 2]| {
        json!({
            "series": series, "leaf": leaf, "bucket": [START, NEXT], "value": values
        })
    };
    let expected = [
        column(SCORE, "value", [2.0, 5.0]),
        column(COLOR, "r", [10.0, 11.0]),
        column(COLOR, "g", [20.0, 21.0]),
        column(COLOR, "b", [30.0, 31.0]),
    ];
    assert_eq!(
        unordered(&results(&response)),
        unordered(&expected),
        "{}",
        response.text
    );
    assert_eq!(
        metadata(&response)["count"],
        4,
        "the objects in this layout"
    );
    assert_eq!(results(&response)[0]["series"], SCORE, "by series");
    let rows = january(&app, user, &[("interval", "day"), ("layout", "rows")])
        .await
        .expect(200);
    assert_eq!(
        rows.json(),
        january(&app, user, &[("interval", "day")])
            .await
            .expect(200)
            .json()
    );
}

async fn columns_of_several_functions(backend: Backend) {
    let (app, user, _) = two_days(backend).await;
    let parameters = [
        ("interval", "day"),
        ("series", SCORE),
        ("agg_func", "min,count"),
        ("layout", "columns"),
    ];
    let column = json!({"series": SCORE, "leaf": "value", "bucket": [START, NEXT], "min": [1, 5], "count": [2, 1]});
    assert_eq!(
        unordered(&results(&january(&app, user, &parameters).await)),
        unordered(&[column])
    );
}

async fn columns_of_groups(backend: Backend) {
    let (app, user, id) = two_days(backend).await;
    let other = store(&app, user, START, &[score(NEXT, 9.0)]).await;
    let parameters = [
        ("interval", "day"),
        ("series", SCORE),
        ("group_by", "session"),
        ("layout", "columns"),
        ("agg_func", "max"),
    ];
    let column = |id: Uuid, buckets: &[&str], values: &[f64]| {
        json!({
            "series": SCORE, "leaf": "value", "user_id": user, "session_id": id, "bucket": buckets, "value": values
        })
    };
    let response = january(&app, user, &parameters).await.expect(200);
    let rows: Vec<_> = results(&response)
        .into_iter()
        .map(|mut row| {
            row.as_object_mut()
                .expect("an object")
                .entry("user_id")
                .or_insert_with(|| json!(user));
            row
        })
        .collect();
    let expected = [
        column(id, &[START, NEXT], &[3.0, 5.0]),
        column(other, &[NEXT], &[9.0]),
    ];
    assert_eq!(unordered(&rows), unordered(&expected), "{}", response.text);
}

async fn nested_leaves_are_dotted_in_flat_rows(backend: Backend) {
    let app = TestApp::start(backend).await;
    let place =
        json!({"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "number"}}});
    app.metric_type(
        "pose",
        &json!({"type": "object", "properties": {"pos": place}}),
    )
    .await;
    let user = Uuid::new_v4();
    let _ = store(
        &app,
        user,
        START,
        &[point("pose", START, &json!({"pos": {"x": 1, "y": 2}}))],
    )
    .await;
    let response = january(&app, user, &[("interval", "day"), ("shape", "flat")])
        .await
        .expect(200);
    let expected = [
        cell(START, "pose", "pos.x", 1.0),
        cell(START, "pose", "pos.y", 2.0),
    ];
    assert_eq!(unordered(&results(&response)), unordered(&expected));
    let nested = january(&app, user, &[("interval", "day"), ("agg_func", "max,sum")])
        .await
        .expect(200);
    let leaves = json!({"pos": {"x": 1.0, "y": 2.0}});
    assert_eq!(
        results(&nested)[0]["value"],
        json!({"max": leaves, "sum": leaves})
    );
}

async fn flat_points_have_one_row_per_leaf_and_one_for_the_rest(backend: Backend) {
    let (app, _, _) = two_days(backend).await;
    let user = Uuid::new_v4();
    let data = [
        score(START, 1.5),
        point(SCORE, &at(1), &json!({"value": 2.5, "by": "hand"})),
        point("words", &at(2), &json!("fine")),
        point(COLOR, &at(3), &json!({"r": 1, "g": 2, "b": 3})),
    ];
    let id = store(&app, user, START, &data).await;
    let response = points(&app, user, &[("shape", "flat")]).await.expect(200);
    let base = |time: &str, series: &str| json!({"time": time, "series": series, "session_id": id});
    let leaf = |seconds: i64, series: &str, leaf: &str, value: f64| {
        let mut row = base(&at(seconds), series);
        row["leaf"] = json!(leaf);
        row["value"] = json!(value);
        row
    };
    let text = |seconds: i64, series: &str, text: &str| {
        let mut row = base(&at(seconds), series);
        row["text"] = json!(text);
        row
    };
    let expected = [
        leaf(0, SCORE, "value", 1.5),
        leaf(1, SCORE, "value", 2.5),
        text(1, SCORE, r#"{"by":"hand"}"#),
        text(2, "words", r#""fine""#),
        leaf(3, COLOR, "r", 1.0),
        leaf(3, COLOR, "g", 2.0),
        leaf(3, COLOR, "b", 3.0),
    ];
    assert_eq!(
        unordered(&results(&response)),
        unordered(&expected),
        "{}",
        response.text
    );
    assert_eq!(metadata(&response)["count"], 7, "the rows in this shape");
    let times: Vec<_> = results(&response)
        .iter()
        .map(|row| row["time"].to_string())
        .collect();
    assert!(times.is_sorted(), "{}", response.text);
}
