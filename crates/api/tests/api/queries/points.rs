//! GET /api/points/: selection and order of points.

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, NOTE, SCORE, START, point, results, score, session, store};
use crate::on_both_servers;
use crate::queries::support::{at, metadata, ndjson, points, skipped, with_all_series};

on_both_servers![
    a_row_is_a_point_as_sent,
    metadata_contain_the_query,
    parameters_filter_the_points,
    the_end_of_the_range_is_exclusive,
    conditions_cut,
    a_condition_skips_series_that_lack_the_leaf,
    json_is_paginated_and_streams_are_complete,
    deleted_and_replaced_points_are_not_returned,
    points_of_other_users_are_never_returned,
    a_user_without_points_has_an_empty_result,
];

fn times(response: &Response) -> Vec<String> {
    results(response)
        .iter()
        .map(|row| row["time"].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn values(response: &Response) -> Vec<Value> {
    results(response)
        .iter()
        .map(|row| row["value"]["value"].clone())
        .collect()
}

async fn a_row_is_a_point_as_sent(backend: Backend) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2.5, "b": 3});
    let data = [
        point(
            NOTE,
            "2025-01-01T02:01:00.000001+01:00",
            &json!({"value": "fine"}),
        ),
        point(COLOR, "2025-01-01T00:00:00.5Z", &rgb),
        point("words", "2025-01-02T00:00:00Z", &json!("bare")),
        point("bare", "2025-01-03T00:00:00Z", &json!(7)),
    ];
    let id = store(&app, user, START, &data).await;
    let response = points(&app, user, &[]).await.expect(200);
    let row = |series: &str, time: &str, value: Value| {
        json!({
            "session_id": id, "series": series, "time": time, "value": value
        })
    };
    let expected = [
        row(COLOR, "2025-01-01T00:00:00.5Z", rgb),
        row(
            NOTE,
            "2025-01-01T01:01:00.000001Z",
            json!({"value": "fine"}),
        ),
        row("words", "2025-01-02T00:00:00Z", json!("bare")),
        row("bare", "2025-01-03T00:00:00Z", json!(7)),
    ];
    let as_floats = |rows: &[Value]| {
        rows.iter()
            .map(crate::common::as_floats)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        as_floats(&results(&response)),
        as_floats(&expected),
        "{}",
        response.text
    );
}

async fn metadata_contain_the_query(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.0), score(&at(60), 2.0)]).await;
    let actual = metadata(&points(&app, user, &[]).await.expect(200));
    let expected = [
        ("count", json!(2)),
        ("user_id", json!(user)),
        ("session_id", Value::Null),
        ("start_time", Value::Null),
        ("end_time", Value::Null),
        ("order", json!("asc")),
        ("limit", json!(1000)),
        ("next_cursor", Value::Null),
        ("version", json!(1)),
        ("skipped", json!([])),
    ];
    for (name, value) in expected {
        assert_eq!(actual.get(name), Some(&value), "{name}: {actual}");
    }
    assert!(actual.get("series").is_some(), "{actual}");
    let parameters = [
        ("session_id", &*id.to_string()),
        ("start_time", "2025-01-01"),
        ("end_time", "2025-01-02T01:00:00+01:00"),
        ("order", "desc"),
        ("limit", "1"),
    ];
    let actual = metadata(&points(&app, user, &parameters).await.expect(200));
    assert_eq!(
        (&actual["session_id"], &actual["order"], &actual["limit"]),
        (&json!(id), &json!("desc"), &json!(1))
    );
    assert_eq!(
        (&actual["start_time"], &actual["end_time"]),
        (&json!(START), &json!("2025-01-02T00:00:00Z"))
    );
    assert!(actual["next_cursor"].is_string(), "{actual}");
}

async fn parameters_filter_the_points(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let one = store(
        &app,
        user,
        START,
        &[score(&at(1), 1.0), point(COLOR, &at(2), &rgb)],
    )
    .await
    .to_string();
    let _ = store(&app, user, START, &[score(&at(3), 3.0)]).await;
    let fetch = async |parameters: &[(&str, &str)]| {
        times(&points(&app, user, parameters).await.expect(200))
    };
    assert_eq!(fetch(&[("session_id", &one)]).await, [at(1), at(2)]);
    assert_eq!(fetch(&[("series", SCORE)]).await, [at(1), at(3)]);
    assert_eq!(
        fetch(&[("series", "*.color,session.gut*")]).await,
        [at(1), at(2), at(3)]
    );
    assert_eq!(fetch(&[("series", "color$")]).await, [at(2)]);
    assert_eq!(
        fetch(&[("series", "gut"), ("series_mode", "regex")]).await,
        [at(1), at(3)]
    );
    assert_eq!(
        fetch(&[("series", SCORE), ("session_id", &one)]).await,
        [at(1)]
    );
    assert!(fetch(&[("series", "sleep.*")]).await.is_empty());
    assert!(
        fetch(&[("session_id", &Uuid::new_v4().to_string())])
            .await
            .is_empty()
    );
}

async fn the_end_of_the_range_is_exclusive(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (0..5).map(|day| score(&at(day * 86_400), 1.0)).collect();
    let _ = store(&app, user, START, &data).await;
    let days = |from: i64, to: i64| (from..to).map(|day| at(day * 86_400)).collect::<Vec<_>>();
    let fetch = async |parameters: &[(&str, &str)]| {
        times(&points(&app, user, parameters).await.expect(200))
    };
    assert_eq!(
        fetch(&[("start_time", "2025-01-02"), ("end_time", "2025-01-04")]).await,
        days(1, 3)
    );
    assert_eq!(
        fetch(&[("start_time", "2025-01-02T00:00:00.000001Z")]).await,
        days(2, 5)
    );
    assert_eq!(
        fetch(&[("end_time", "2025-01-03T00:00:00.000001Z")]).await,
        days(0, 3)
    );
    assert_eq!(
        fetch(&[
            ("start_time", "2025-01-02T01:00:00+01:00"),
            ("order", "desc"),
            ("limit", "2")
        ])
        .await,
        {
            let mut last = days(3, 5);
            last.reverse();
            last
        }
    );
}

async fn conditions_cut(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (0..10_i32)
        .map(|i| score(&at(i.into()), f64::from(i)))
        .collect();
    let _ = store(&app, user, START, &data).await;
    let parameters = [("where", "value>=3,value!=5,value<8"), ("limit", "3")];
    let page = points(&app, user, &parameters).await.expect(200);
    assert_eq!(
        values(&page)
            .iter()
            .filter_map(Value::as_f64)
            .collect::<Vec<_>>(),
        [3.0, 4.0, 6.0]
    );
    let cursor = metadata(&page)["next_cursor"]
        .as_str()
        .expect("more to come")
        .to_owned();
    let page = points(
        &app,
        user,
        &[parameters.as_slice(), &[("cursor", &cursor)]].concat(),
    )
    .await
    .expect(200);
    assert_eq!(
        values(&page)
            .iter()
            .filter_map(Value::as_f64)
            .collect::<Vec<_>>(),
        [7.0]
    );
    assert_eq!(metadata(&page)["next_cursor"], Value::Null);
}

async fn a_condition_skips_series_that_lack_the_leaf(backend: Backend) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let data = [
        score(START, 1.0),
        point(COLOR, START, &rgb),
        point(NOTE, START, &json!({"value": "a"})),
    ];
    let _ = store(&app, user, START, &data).await;
    let response = points(&app, user, &[("where", "r>0")]).await.expect(200);
    assert_eq!(results(&response).len(), 1);
    assert_eq!(results(&response)[0]["series"], COLOR);
    let left_out = skipped(&response);
    assert!(
        left_out.contains(&SCORE.to_owned()) && left_out.contains(&NOTE.to_owned()),
        "{left_out:?}"
    );
    assert!(!left_out.contains(&COLOR.to_owned()), "{left_out:?}");
    let response = points(&app, user, &[("series", SCORE), ("where", "r>0")])
        .await
        .expect(200);
    assert_eq!(
        (results(&response).len(), skipped(&response)),
        (0, vec![SCORE.to_owned()])
    );
}

async fn json_is_paginated_and_streams_are_complete(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let data: Vec<_> = (0..1_001).map(|i| score(&at(i), 1.0)).collect();
    let _ = store(&app, user, START, &data).await;
    let page = points(&app, user, &[]).await.expect(200);
    assert_eq!(metadata(&page)["count"], 1_000);
    assert!(metadata(&page)["next_cursor"].is_string());
    let most = points(&app, user, &[("limit", "100000")]).await.expect(200);
    assert_eq!(
        (&metadata(&most)["count"], &metadata(&most)["next_cursor"]),
        (&json!(1_001), &Value::Null)
    );
    let (rows, end) = ndjson(
        &points(&app, user, &[("format", "ndjson")])
            .await
            .expect(200)
            .text,
    );
    assert_eq!(
        (rows.len(), &end["count"], &end["next_cursor"]),
        (1_001, &json!(1_001), &Value::Null)
    );
    let csv = points(&app, user, &[("format", "csv")]).await.expect(200);
    assert_eq!(csv.text.lines().last(), Some("# end of 1001 rows"));
}

async fn deleted_and_replaced_points_are_not_returned(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let one = store(&app, user, START, &[score(&at(1), 1.0)]).await;
    let two = store(&app, user, START, &[score(&at(2), 2.0)]).await;
    let body = session(user, one, START, &[score(&at(3), 3.0), score(&at(1), 1.5)]);
    let _ = app
        .put(&format!("/api/sessions/{one}/"), &body)
        .await
        .expect(200);
    assert_eq!(
        times(&points(&app, user, &[]).await.expect(200)),
        [at(1), at(2), at(3)]
    );
    let _ = app
        .delete(&format!("/api/sessions/{two}/"))
        .await
        .expect(204);
    let left = points(&app, user, &[]).await.expect(200);
    assert_eq!(
        values(&left)
            .iter()
            .filter_map(Value::as_f64)
            .collect::<Vec<_>>(),
        [1.5, 3.0]
    );
}

async fn points_of_other_users_are_never_returned(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let theirs = store(&app, one, START, &[score(START, 1.0)])
        .await
        .to_string();
    let _ = store(&app, other, START, &[score(START, 2.0)]).await;
    assert_eq!(values(&points(&app, other, &[]).await.expect(200)).len(), 1);
    assert!(
        results(
            &points(&app, other, &[("session_id", &theirs)])
                .await
                .expect(200)
        )
        .is_empty()
    );
}

async fn a_user_without_points_has_an_empty_result(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    for parameters in [
        &[][..],
        &[("order", "desc")],
        &[("max_points", "10")],
        &[("where", "value>1")],
    ] {
        let response = points(&app, Uuid::new_v4(), parameters).await.expect(200);
        assert_eq!(
            (
                response.json()["results"].clone(),
                &metadata(&response)["count"]
            ),
            (json!([]), &json!(0))
        );
    }
}
