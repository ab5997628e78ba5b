//! A user's version rises by one with every change, and only then.

use serde_json::json;
use time_series_testkit::{Backend, Response, TestApp};
use uuid::Uuid;

use crate::common::{START, get_timeseries, point, score, session};
use crate::on_both_servers;

on_both_servers![
    each_change_raises_the_version_by_one,
    a_write_without_effect_keeps_the_version,
    each_user_has_its_own_versions,
    every_read_reports_its_version,
];

fn version(response: &Response) -> u64 {
    response.receipt().version.expect(&response.text)
}

async fn post(app: &TestApp, parameters: &str, user: Uuid, id: Uuid, value: f64) -> Response {
    app.post(
        &format!("/api/sessions/{parameters}"),
        &session(user, id, START, &[score(START, value)]),
    )
    .await
}

async fn current(app: &TestApp, user: Uuid) -> u64 {
    let list = app
        .get(&format!("/api/sessions/?user_id={user}"))
        .await
        .expect(200)
        .json();
    list["metadata"]["version"].as_u64().expect("a version")
}

async fn each_change_raises_the_version_by_one(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, one, two) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    let first = version(&post(&app, "", user, one, 1.0).await.expect(201));
    assert_eq!(
        version(&post(&app, "", user, two, 1.0).await.expect(201)),
        first + 1
    );
    assert_eq!(
        version(
            &post(&app, "?on_conflict=replace", user, one, 2.0)
                .await
                .expect(200)
        ),
        first + 2
    );
    let body = session(user, two, START, &[]);
    assert_eq!(
        version(
            &app.put(&format!("/api/sessions/{two}/"), &body)
                .await
                .expect(200)
        ),
        first + 3
    );
    let deleted = app
        .delete(&format!("/api/sessions/{one}/"))
        .await
        .expect(204);
    let header = deleted
        .headers
        .get("user-version")
        .and_then(|v| v.to_str().ok())
        .expect("the header user-version");
    assert_eq!(header, (first + 4).to_string());
    assert_eq!(current(&app, user).await, first + 4);
}

async fn a_write_without_effect_keeps_the_version(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let before = version(&post(&app, "", user, id, 1.0).await.expect(201));
    let _ = post(&app, "", user, id, 1.0).await.expect(200);
    let _ = post(&app, "", user, id, 2.0).await.expect(409);
    let _ = post(&app, "?on_conflict=ignore", user, id, 2.0)
        .await
        .expect(200);
    let _ = post(&app, "?on_conflict=replace", user, id, 1.0)
        .await
        .expect(200);
    let _ = post(&app, "?dry_run=true", user, Uuid::new_v4(), 1.0)
        .await
        .expect(200);
    let same = session(user, id, START, &[score(START, 1.0)]);
    let _ = app
        .put(&format!("/api/sessions/{id}/"), &same)
        .await
        .expect(200);
    let bad = session(
        user,
        Uuid::new_v4(),
        START,
        &[point("none", START, &json!(1))],
    );
    let _ = app.post("/api/sessions/", &bad).await.expect(422);
    let _ = app
        .delete(&format!("/api/sessions/{}/", Uuid::new_v4()))
        .await
        .expect(404);
    let _ = app
        .delete(&format!("/api/sessions/{}/?user_id={user}", Uuid::new_v4()))
        .await
        .expect(404);
    let _ = get_timeseries(&app, user, &[]).await.expect(200);
    assert_eq!(current(&app, user).await, before);
    assert_eq!(
        version(&post(&app, "", user, Uuid::new_v4(), 1.0).await.expect(201)),
        before + 1
    );
}

async fn each_user_has_its_own_versions(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let before = version(&post(&app, "", one, Uuid::new_v4(), 1.0).await.expect(201));
    for _ in 0..3 {
        let _ = post(&app, "", other, Uuid::new_v4(), 1.0).await.expect(201);
    }
    assert_eq!(current(&app, one).await, before);
}

async fn every_read_reports_its_version(backend: Backend) {
    let app = TestApp::seeded(backend).await;
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let _ = post(&app, "", user, id, 1.0).await.expect(201);
    let stored = version(&post(&app, "", user, Uuid::new_v4(), 1.0).await.expect(201));
    assert_eq!(current(&app, user).await, stored);
    let session = app.get(&format!("/api/sessions/{id}/")).await.expect(200);
    assert_eq!(session.json()["version"], stored);
    let response = get_timeseries(
        &app,
        user,
        &[("start_time", "2025-01-01"), ("end_time", "2025-01-02")],
    )
    .await
    .expect(200)
    .json();
    assert_eq!(response["metadata"]["version"], stored);
}
