//! GET /api/catalog/: the data of a user, by series.

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{COLOR, NOTE, SCORE, START, point, results, score, session, store};
use crate::on_both_servers;
use crate::queries::support::{at, csv_table, get, metadata, ndjson, with_all_series};

on_both_servers![
    each_series_has_its_time_range,
    deletion_shrinks_the_time_range,
    null_is_a_point,
    the_unit_is_that_of_the_metric_type,
    the_series_parameter_filters_the_points,
    text_formats,
    a_user_without_points_has_an_empty_result,
];

async fn catalog(app: &TestApp, user: Uuid, parameters: &[(&str, &str)]) -> Response {
    get(
        app,
        "/api/catalog/",
        &[&[("user_id", &*user.to_string())], parameters].concat(),
    )
    .await
    .expect(200)
}

fn row(series: &str, extent: [&str; 2], points: u64, sessions: u64) -> Value {
    json!({
        "series": series, "unit": "", "first_time": extent[0], "last_time": extent[1],
        "points": points, "sessions": sessions
    })
}

#[track_caller]
fn assert_catalog(response: &Response, expected: &[Value]) {
    assert_eq!(results(response), expected, "{}", response.text);
    assert_eq!(metadata(response)["count"], expected.len());
}

async fn each_series_has_its_time_range(backend: Backend) {
    let app = TestApp::with(backend).start().await;
    with_all_series(&app).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let first = [
        score("2025-01-01T00:00:00.000001Z", 1.0),
        score(&at(3 * 86_400), 1.0),
        score(&at(3 * 86_400), 1.0),
        point(NOTE, &at(7), &json!({"value": "b"})),
    ];
    let second = [
        score(&at(40 * 86_400), 1.0),
        point(COLOR, &at(30 * 86_400), &rgb),
    ];
    let _ = store(&app, user, START, &first).await;
    let _ = store(&app, user, &at(30 * 86_400), &second).await;
    let _ = store(&app, user, START, &[]).await;
    let _ = store(&app, Uuid::new_v4(), START, &[score(START, 9.0)]).await;
    let expected = [
        row(NOTE, [&at(7), &at(7)], 1, 1),
        row(
            SCORE,
            ["2025-01-01T00:00:00.000001Z", &at(40 * 86_400)],
            4,
            2,
        ),
        row(COLOR, [&at(30 * 86_400), &at(30 * 86_400)], 1, 1),
    ];
    let response = catalog(&app, user, &[]).await;
    assert_catalog(&response, &expected);
    let actual = metadata(&response);
    assert_eq!(
        (&actual["user_id"], &actual["version"]),
        (&json!(user), &json!(3))
    );
    assert!(actual.get("series").is_some(), "{actual}");
}

async fn deletion_shrinks_the_time_range(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let old = store(
        &app,
        user,
        START,
        &[score(&at(1), 1.0), point(COLOR, &at(1), &rgb)],
    )
    .await;
    let new = store(
        &app,
        user,
        START,
        &[score(&at(86_400), 1.0), score(&at(5), 2.0)],
    )
    .await;
    let colors = row(COLOR, [&at(1), &at(1)], 1, 1);
    assert_catalog(
        &catalog(&app, user, &[]).await,
        &[row(SCORE, [&at(1), &at(86_400)], 3, 2), colors.clone()],
    );
    let _ = app
        .delete(&format!("/api/sessions/{new}/"))
        .await
        .expect(204);
    assert_catalog(
        &catalog(&app, user, &[]).await,
        &[row(SCORE, [&at(1), &at(1)], 1, 1), colors],
    );
    let body = session(user, old, START, &[score(&at(2), 1.0), score(&at(3), 1.0)]);
    let _ = app
        .put(&format!("/api/sessions/{old}/"), &body)
        .await
        .expect(200);
    assert_catalog(
        &catalog(&app, user, &[]).await,
        &[row(SCORE, [&at(2), &at(3)], 2, 1)],
    );
    let _ = app
        .delete(&format!("/api/sessions/{old}/"))
        .await
        .expect(204);
    assert_catalog(&catalog(&app, user, &[]).await, &[]);
}

async fn null_is_a_point(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.metric_type("maybe", &json!({"type": ["number", "null"]}))
        .await;
    let user = Uuid::new_v4();
    let data = [Value::Null, json!(1), Value::Null];
    let data: Vec<_> = (0..)
        .zip(&data)
        .map(|(i, value)| point("maybe", &at(i), value))
        .collect();
    let _ = store(&app, user, START, &data).await;
    assert_catalog(
        &catalog(&app, user, &[]).await,
        &[row("maybe", [START, &at(2)], 3, 1)],
    );
}

async fn the_unit_is_that_of_the_metric_type(backend: Backend) {
    let app = TestApp::start(backend).await;
    let body = json!({"series": "height", "schema": {"type": "number"}, "unit": "cm"});
    let _ = app.post("/api/metrictypes/", &body).await.expect(201);
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[point("height", START, &json!(180))]).await;
    assert_eq!(results(&catalog(&app, user, &[]).await)[0]["unit"], "cm");
    let body = json!({"series": "height", "schema": {"type": "number"}, "unit": "in"});
    let _ = app.put("/api/metrictypes/height/", &body).await.expect(200);
    assert_eq!(results(&catalog(&app, user, &[]).await)[0]["unit"], "in");
}

async fn the_series_parameter_filters_the_points(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let _ = store(
        &app,
        user,
        START,
        &[score(START, 1.0), point(COLOR, START, &rgb)],
    )
    .await;
    let (scores, colors) = (row(SCORE, [START; 2], 1, 1), row(COLOR, [START; 2], 1, 1));
    assert_catalog(
        &catalog(&app, user, &[("series", COLOR)]).await,
        std::slice::from_ref(&colors),
    );
    assert_catalog(
        &catalog(&app, user, &[("series", "*score")]).await,
        std::slice::from_ref(&scores),
    );
    assert_catalog(
        &catalog(&app, user, &[("series", "s|u")]).await,
        &[scores, colors],
    );
    assert_catalog(&catalog(&app, user, &[("series", "sleep.*")]).await, &[]);
}

async fn text_formats(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 1.5), score(&at(1), 1.5)]).await;
    let (rows, end) = ndjson(&catalog(&app, user, &[("format", "ndjson")]).await.text);
    assert_eq!(rows, [row(SCORE, [START, &at(1)], 2, 1)]);
    assert_eq!((&end["end"], &end["count"]), (&json!(true), &json!(1)));
    let (header, rows, _) = csv_table(&catalog(&app, user, &[("format", "csv")]).await.text);
    assert_eq!(
        header,
        [
            "series",
            "unit",
            "first_time",
            "last_time",
            "points",
            "sessions"
        ]
    );
    let cells: Vec<_> = header
        .iter()
        .map(|name| rows[0][name].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        (rows.len(), cells),
        (
            1,
            [SCORE, "", START, &at(1), "2", "1"]
                .map(str::to_owned)
                .to_vec()
        )
    );
}

async fn a_user_without_points_has_an_empty_result(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    assert_catalog(&catalog(&app, user, &[]).await, &[]);
    let _ = store(&app, user, START, &[]).await;
    assert_catalog(&catalog(&app, user, &[]).await, &[]);
}
