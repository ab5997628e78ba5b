//! Changes of a metric type, with and without stored points.

use serde_json::{Value, json};
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{
    SCORE, START, assert_problem, assert_rows, get_timeseries, point, score, session, store,
};
use crate::metric_types::JANUARY;
use crate::on_both_servers;

on_both_servers![
    a_change_without_points_is_always_accepted,
    a_change_keeps_the_name,
    a_change_that_stored_points_break_is_rejected,
    a_compatible_change_takes_effect_at_once,
    an_added_optional_leaf_is_aggregated,
    undeclared_numbers_are_never_partially_aggregated,
    description_and_unit_can_always_be_changed,
];

async fn change(app: &TestApp, series: &str, schema: &Value) -> Response {
    app.put(
        &format!("/api/metrictypes/{series}/"),
        &json!({"schema": schema}),
    )
    .await
}

fn with(properties: &Value) -> Value {
    json!({"type": "object", "properties": properties, "required": ["value"]})
}

async fn a_change_without_points_is_always_accepted(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let created = app
        .get(&format!("/api/metrictypes/{SCORE}/"))
        .await
        .expect(200)
        .json();
    let schema = json!({"type": "string"});
    let body =
        json!({"series": SCORE, "schema": schema, "description": "in words", "unit": "words"});
    let changed = app
        .put(&format!("/api/metrictypes/{SCORE}/"), &body)
        .await
        .expect(200)
        .json();
    for member in ["series", "schema", "description", "unit"] {
        assert_eq!(changed[member], body[member]);
    }
    assert_eq!(
        (&changed["channels"], &changed["created_at"]),
        (&json!([]), &created["created_at"])
    );
    assert!(changed["updated_at"].as_str() >= created["updated_at"].as_str());
    assert_eq!(
        app.get(&format!("/api/metrictypes/{SCORE}/"))
            .await
            .expect(200)
            .json(),
        changed
    );
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[point(SCORE, START, &json!("fine"))]).await;
    let old = session(user, Uuid::new_v4(), START, &[score(START, 1.0)]);
    assert_problem(
        &app.post("/api/sessions/", &old).await,
        422,
        "invalid_session",
    );
}

async fn a_change_keeps_the_name(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let body = json!({"series": "session.renamed", "schema": {"type": "number"}});
    let response = app.put(&format!("/api/metrictypes/{SCORE}/"), &body).await;
    assert_problem(&response, 422, "invalid_metric_type");
    assert!(
        response.faults()[0].starts_with("/series "),
        "{}",
        response.text
    );
    assert_problem(
        &app.get("/api/metrictypes/session.renamed/").await,
        404,
        "metric_type_not_found",
    );
}

async fn a_change_that_stored_points_break_is_rejected(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let before = app
        .get(&format!("/api/metrictypes/{SCORE}/"))
        .await
        .expect(200)
        .json();
    let user = Uuid::new_v4();
    let id = store(
        &app,
        user,
        START,
        &[score(START, 50.0), score("2025-01-02T00:00:00Z", 101.0)],
    )
    .await;
    let narrower = [
        with(&json!({"value": {"type": "number", "maximum": 100}})),
        with(&json!({"value": {"type": "string"}})),
        json!({"type": "number"}),
        json!({"type": "object", "properties": {"value": {"type": "number"}}, "required": ["value", "unit"]}),
    ];
    for schema in &narrower {
        assert_problem(
            &change(&app, SCORE, schema).await,
            409,
            "metric_type_in_use",
        );
    }
    assert_eq!(
        app.get(&format!("/api/metrictypes/{SCORE}/"))
            .await
            .expect(200)
            .json(),
        before,
        "everything is unchanged"
    );
    let _ = store(&app, user, START, &[score(START, 102.0)]).await;
    // The change is accepted after the points are deleted.
    let body = session(user, id, START, &[score(START, 50.0)]);
    let _ = app
        .put(&format!("/api/sessions/{id}/"), &body)
        .await
        .expect(200);
    assert_problem(
        &change(&app, SCORE, &narrower[0]).await,
        409,
        "metric_type_in_use",
    );
    for other in crate::common::sessions_of(&app, user).await {
        if other != id.to_string() {
            let _ = app
                .delete(&format!("/api/sessions/{other}/"))
                .await
                .expect(204);
        }
    }
    let _ = change(&app, SCORE, &narrower[0]).await.expect(200);
}

async fn a_compatible_change_takes_effect_at_once(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 50.0)]).await;
    let low = with(&json!({"value": {"type": "number", "maximum": 60}}));
    let _ = change(&app, SCORE, &low).await.expect(200);
    let high = session(user, Uuid::new_v4(), START, &[score(START, 61.0)]);
    let response = app.post("/api/sessions/", &high).await;
    assert_problem(&response, 422, "invalid_session");
    assert_eq!(response.faults(), ["/data/0/value/value schema_violation"]);
    let _ = change(
        &app,
        SCORE,
        &with(&json!({"value": {"type": "number", "maximum": 61}})),
    )
    .await
    .expect(200);
    let _ = app.post("/api/sessions/", &high).await.expect(201);
    assert_rows(
        &get_timeseries(&app, user, &JANUARY).await,
        &[(START, SCORE, json!(55.5))],
    );
}

async fn an_added_optional_leaf_is_aggregated(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 10.0), score(START, 20.0)]).await;
    let wider = with(&json!({"value": {"type": "number"}, "quality": {"type": "number"}}));
    let changed = change(&app, SCORE, &wider).await.expect(200).json();
    let mut channels = changed["channels"].as_array().expect("channels").clone();
    channels.sort_by_key(ToString::to_string);
    assert_eq!(channels, ["/quality", "/value"]);
    let _ = store(
        &app,
        user,
        START,
        &[point(SCORE, START, &json!({"value": 60, "quality": 7}))],
    )
    .await;
    let sum_and_count = [JANUARY.as_slice(), &[("agg_func", "sum,count")]].concat();
    let expected = json!({"sum": {"value": 90, "quality": 7}, "count": {"value": 3, "quality": 1}});
    assert_rows(
        &get_timeseries(&app, user, &sum_and_count).await,
        &[(START, SCORE, expected.clone())],
    );
    // The result is the same if the range cuts the day.
    let cut = [
        ("start_time", START),
        ("end_time", "2025-01-01T12:00:00Z"),
        ("interval", "all"),
        ("agg_func", "sum,count"),
    ];
    assert_rows(
        &get_timeseries(&app, user, &cut).await,
        &[(START, SCORE, expected)],
    );
}

async fn undeclared_numbers_are_never_partially_aggregated(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(
        &app,
        user,
        START,
        &[point(SCORE, START, &json!({"value": 1, "quality": 5}))],
    )
    .await;
    let wider = with(&json!({"value": {"type": "number"}, "quality": {"type": "number"}}));
    assert_problem(
        &change(&app, SCORE, &wider).await,
        409,
        "metric_type_in_use",
    );
    let _ = app
        .delete(&format!("/api/sessions/{id}/"))
        .await
        .expect(204);
    let _ = change(&app, SCORE, &wider).await.expect(200);
    let _ = store(
        &app,
        user,
        START,
        &[point(SCORE, START, &json!({"value": 1, "quality": 5}))],
    )
    .await;
    assert_rows(
        &get_timeseries(&app, user, &JANUARY).await,
        &[(START, SCORE, json!({"value": 1, "quality": 5}))],
    );
}

async fn description_and_unit_can_always_be_changed(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 10.0)]).await;
    let mut body = app
        .get(&format!("/api/metrictypes/{SCORE}/"))
        .await
        .expect(200)
        .json();
    for member in ["channels", "created_at", "updated_at"] {
        body.as_object_mut().expect("an object").remove(member);
    }
    body["description"] = json!("How the gut does");
    let changed = app
        .put(&format!("/api/metrictypes/{SCORE}/"), &body)
        .await
        .expect(200)
        .json();
    assert_eq!(changed["description"], "How the gut does");
    assert_rows(
        &get_timeseries(&app, user, &JANUARY).await,
        &[(START, SCORE, json!(10))],
    );
}
