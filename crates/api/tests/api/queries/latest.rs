//! GET /api/latest/: the last point of each series.

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, NOTE, SCORE, START, as_floats, point, results, score, session, store};
use crate::on_both_servers;
use crate::queries::support::{at, csv_table, get, metadata, ndjson, with_all_series};

on_both_servers![
    the_last_point_of_each_series,
    latest_breaks_ties_by_session_and_arrival,
    deletion_makes_the_previous_point_the_latest,
    late_points_change_nothing,
    null_is_a_point,
    the_series_parameter_filters_the_points,
    metadata_contain_the_query,
    text_formats,
    a_user_without_points_has_an_empty_result,
];

async fn latest(app: &TestApp, user: Uuid, parameters: &[(&str, &str)]) -> Response {
    get(
        app,
        "/api/latest/",
        &[&[("user_id", &*user.to_string())], parameters].concat(),
    )
    .await
    .expect(200)
}

fn row(series: &str, time: &str, value: &Value, id: Uuid) -> Value {
    as_floats(&json!({"series": series, "time": time, "value": value, "session_id": id}))
}

#[track_caller]
fn assert_latest(response: &Response, expected: &[Value]) {
    let rows: Vec<_> = results(response).iter().map(as_floats).collect();
    assert_eq!(rows, expected, "{}", response.text);
    assert_eq!(metadata(response)["count"], rows.len());
}

fn one(value: f64) -> Value {
    json!({"value": value})
}

async fn the_last_point_of_each_series(backend: Backend) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let rgb = |r: i32| json!({"r": r, "g": 2, "b": 3, "by": "eye"});
    let first = [
        score(&at(5 * 86_400), 5.0),
        score(&at(1), 1.0),
        point(NOTE, &at(2), &json!({"value": "b"})),
        point(NOTE, &at(1), &json!({"value": "z"})),
        point(COLOR, &at(1), &rgb(1)),
    ];
    let second = [
        score(&at(4 * 86_400), 4.0),
        point(COLOR, &at(1_000_000), &rgb(9)),
        point("words", START, &json!("w")),
    ];
    let (first, second) = (
        store(&app, user, START, &first).await,
        store(&app, user, START, &second).await,
    );
    let _ = store(&app, Uuid::new_v4(), START, &[score(&at(6 * 86_400), 9.0)]).await;
    let expected = [
        row(NOTE, &at(2), &json!({"value": "b"}), first),
        row(SCORE, &at(5 * 86_400), &one(5.0), first),
        row(COLOR, &at(1_000_000), &rgb(9), second),
        row("words", START, &json!("w"), second),
    ];
    assert_latest(&latest(&app, user, &[]).await, &expected);
}

async fn latest_breaks_ties_by_session_and_arrival(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let (low, high) = (
        Uuid::from_u128(0x1111 << 112),
        Uuid::from_u128(0xeeee << 112),
    );
    for id in [high, low] {
        let data = [score(START, 3.0), score(START, 9.0), score(START, 2.0)];
        let _ = app
            .post("/api/sessions/", &session(user, id, START, &data))
            .await
            .expect(201);
    }
    assert_latest(
        &latest(&app, user, &[]).await,
        &[row(SCORE, START, &one(2.0), high)],
    );
    let _ = app
        .delete(&format!("/api/sessions/{high}/"))
        .await
        .expect(204);
    assert_latest(
        &latest(&app, user, &[]).await,
        &[row(SCORE, START, &one(2.0), low)],
    );
}

async fn deletion_makes_the_previous_point_the_latest(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let old = store(
        &app,
        user,
        START,
        &[score(&at(1), 1.0), score(&at(10), 10.0)],
    )
    .await;
    let new = store(
        &app,
        user,
        START,
        &[score(&at(20), 20.0), point(COLOR, &at(20), &rgb)],
    )
    .await;
    let rows = [
        row(SCORE, &at(20), &one(20.0), new),
        row(COLOR, &at(20), &rgb, new),
    ];
    assert_latest(&latest(&app, user, &[]).await, &rows);
    let _ = app
        .delete(&format!("/api/sessions/{new}/"))
        .await
        .expect(204);
    assert_latest(
        &latest(&app, user, &[]).await,
        &[row(SCORE, &at(10), &one(10.0), old)],
    );
    let body = session(user, old, START, &[score(&at(1), 1.0)]);
    let _ = app
        .put(&format!("/api/sessions/{old}/"), &body)
        .await
        .expect(200);
    assert_latest(
        &latest(&app, user, &[]).await,
        &[row(SCORE, &at(1), &one(1.0), old)],
    );
    let _ = app
        .delete(&format!("/api/sessions/{old}/"))
        .await
        .expect(204);
    assert_latest(&latest(&app, user, &[]).await, &[]);
}

async fn late_points_change_nothing(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 4.0)]).await;
    for day in [-400, -100, -1] {
        let _ = store(
            &app,
            user,
            &at(day * 86_400),
            &[score(&at(day * 86_400), 1.0)],
        )
        .await;
        assert_latest(
            &latest(&app, user, &[]).await,
            &[row(SCORE, START, &one(4.0), id)],
        );
    }
}

async fn null_is_a_point(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.metric_type("maybe", &json!({"type": ["number", "null"]}))
        .await;
    let user = Uuid::new_v4();
    let id = store(
        &app,
        user,
        START,
        &[
            point("maybe", &at(1), &json!(1)),
            point("maybe", &at(2), &Value::Null),
        ],
    )
    .await;
    let response = latest(&app, user, &[]).await;
    assert_latest(&response, &[row("maybe", &at(2), &Value::Null, id)]);
    assert!(
        results(&response)[0]
            .as_object()
            .is_some_and(|row| row.contains_key("value")),
        "null is not absent"
    );
}

async fn the_series_parameter_filters_the_points(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let id = store(
        &app,
        user,
        START,
        &[score(START, 1.0), point(COLOR, START, &rgb)],
    )
    .await;
    let (scores, colors) = (
        row(SCORE, START, &one(1.0), id),
        row(COLOR, START, &rgb, id),
    );
    assert_latest(
        &latest(&app, user, &[("series", COLOR)]).await,
        std::slice::from_ref(&colors),
    );
    assert_latest(
        &latest(&app, user, &[("series", "*score")]).await,
        std::slice::from_ref(&scores),
    );
    assert_latest(
        &latest(&app, user, &[("series", "urine|gut")]).await,
        &[scores.clone(), colors],
    );
    assert_latest(
        &latest(&app, user, &[("series", "gut"), ("series_mode", "regex")]).await,
        &[scores],
    );
    assert_latest(&latest(&app, user, &[("series", "sleep.*")]).await, &[]);
}

async fn metadata_contain_the_query(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 1.0)]).await;
    let actual = metadata(&latest(&app, user, &[("series", SCORE)]).await);
    assert_eq!(
        (&actual["count"], &actual["user_id"], &actual["version"]),
        (&json!(1), &json!(user), &json!(1))
    );
    assert!(actual["series"].to_string().contains(SCORE), "{actual}");
}

async fn text_formats(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 1.5)]).await;
    let (rows, end) = ndjson(&latest(&app, user, &[("format", "ndjson")]).await.text);
    assert_eq!(rows, [row(SCORE, START, &one(1.5), id)]);
    assert_eq!((&end["end"], &end["count"]), (&json!(true), &json!(1)));
    let (header, rows, _) = csv_table(&latest(&app, user, &[("format", "csv")]).await.text);
    for name in ["series", "time", "session_id"] {
        assert!(header.contains(&name.to_owned()), "{header:?}");
    }
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["series"], &rows[0]["time"]),
        (&json!(SCORE), &json!(START))
    );
    assert_eq!(rows[0]["session_id"], json!(id));
    assert!(
        rows[0]
            .values()
            .any(|cell| cell.as_str().is_some_and(|cell| cell.contains("1.5"))),
        "{rows:?}"
    );
}

async fn a_user_without_points_has_an_empty_result(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    assert_latest(&latest(&app, user, &[]).await, &[]);
    let _ = store(&app, user, START, &[]).await;
    let response = latest(&app, user, &[]).await;
    assert_latest(&response, &[]);
    assert_eq!(
        metadata(&response)["version"],
        1,
        "a session without points is a change"
    );
}
