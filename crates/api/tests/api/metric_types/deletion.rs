//! Metric types can be deleted if no session uses them, and created again.

use serde_json::json;
use time_series_testkit::{Backend, TestApp};
use uuid::Uuid;

use crate::common::{
    COLOR, SCORE, START, assert_problem, assert_rows, get_timeseries, point, score, session, store,
};
use crate::metric_types::JANUARY;
use crate::on_both_servers;

on_both_servers![
    an_unused_metric_type_can_be_deleted,
    a_used_metric_type_can_be_deleted_after_its_sessions,
    a_recreated_series_is_a_new_series,
    deleting_a_series_keeps_the_others,
];

async fn an_unused_metric_type_can_be_deleted(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let path = format!("/api/metrictypes/{SCORE}/");
    let _ = store(
        &app,
        Uuid::new_v4(),
        START,
        &[point(COLOR, START, &json!({"r": 1, "g": 1, "b": 1}))],
    )
    .await;
    let _ = store(&app, Uuid::new_v4(), START, &[]).await;
    assert_eq!(app.delete(&path).await.expect(204).text, "");
    assert_problem(&app.get(&path).await, 404, "metric_type_not_found");
    assert_problem(&app.delete(&path).await, 404, "metric_type_not_found");
    let body = session(Uuid::new_v4(), Uuid::new_v4(), START, &[score(START, 1.0)]);
    let response = app.post("/api/sessions/", &body).await;
    assert_problem(&response, 422, "invalid_session");
    assert_eq!(response.faults(), ["/data/0/series unknown_series"]);
    assert_problem(
        &get_timeseries(&app, Uuid::new_v4(), &[("series", SCORE)]).await,
        422,
        "invalid_parameters",
    );
}

async fn a_used_metric_type_can_be_deleted_after_its_sessions(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let path = format!("/api/metrictypes/{SCORE}/");
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let sessions = [
        store(&app, one, START, &[score(START, 1.0)]).await,
        store(&app, other, START, &[score(START, 2.0)]).await,
    ];
    for (user, session) in [one, other].iter().zip(sessions) {
        assert_problem(&app.delete(&path).await, 409, "metric_type_in_use");
        assert_rows(
            &get_timeseries(&app, other, &JANUARY).await,
            &[(START, SCORE, json!(2))],
        );
        let _ = app
            .delete(&format!("/api/sessions/{session}/?user_id={user}"))
            .await
            .expect(204);
    }
    let _ = app.delete(&path).await.expect(204);
}

async fn a_recreated_series_is_a_new_series(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let id = store(&app, user, START, &[score(START, 100.0)]).await;
    let _ = app
        .delete(&format!("/api/sessions/{id}/"))
        .await
        .expect(204);
    let _ = app
        .delete(&format!("/api/metrictypes/{SCORE}/"))
        .await
        .expect(204);
    let parts = json!({"type": "object", "properties": {"a": {"type": "number"}, "value": {"type": "number"}}});
    app.metric_type(SCORE, &parts).await;
    assert_rows(&get_timeseries(&app, user, &JANUARY).await, &[]);
    let _ = store(
        &app,
        user,
        START,
        &[point(SCORE, START, &json!({"a": 1, "value": 2}))],
    )
    .await;
    assert_rows(
        &get_timeseries(&app, user, &JANUARY).await,
        &[(START, SCORE, json!({"a": 1, "value": 2}))],
    );
    let record = app
        .get(&format!("/api/sessions/?user_id={user}"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        record["results"][0]["series"],
        json!([{"series": SCORE, "points": 1}])
    );
}

async fn deleting_a_series_keeps_the_others(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let user = Uuid::new_v4();
    let color = point(COLOR, START, &json!({"r": 1, "g": 2, "b": 3}));
    let id = store(&app, user, START, &[score(START, 1.0), color.clone()]).await;
    assert_problem(
        &app.delete(&format!("/api/metrictypes/{SCORE}/")).await,
        409,
        "metric_type_in_use",
    );
    let _ = app
        .put(
            &format!("/api/sessions/{id}/"),
            &session(user, id, START, &[color]),
        )
        .await
        .expect(200);
    let _ = app
        .delete(&format!("/api/metrictypes/{SCORE}/"))
        .await
        .expect(204);
    assert_rows(
        &get_timeseries(&app, user, &JANUARY).await,
        &[(START, COLOR, json!({"r": 1, "g": 2, "b": 3}))],
    );
    assert_eq!(
        app.get("/api/metrictypes/")
            .await
            .expect(200)
            .metadata()
            .count,
        2
    );
}
