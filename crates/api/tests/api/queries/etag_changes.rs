//! Writes that change an `ETag`, and writes that keep it.

use serde_json::json;
use time_series_testkit::{Backend, TestApp, redis_url};
use uuid::Uuid;

use super::etags::Case;
use crate::common::{COLOR, SCORE, START, point, score, session, store};
use crate::on_both_servers;

on_both_servers![
    every_change_of_the_users_data_changes_the_etag,
    a_changed_metric_type_changes_the_etag,
    a_write_without_effect_keeps_the_etag,
    other_users_do_not_affect_the_etag,
];

async fn every_change_of_the_users_data_changes_the_etag(backend: Backend) {
    changes(Case::new(backend).await).await;
}

/// The same with a result cache.
#[tokio::test]
async fn every_change_changes_the_etag_of_a_cached_response() {
    changes(Case::on(seeded(TestApp::with(Backend::Plain).cache().start().await).await).await)
        .await;
    changes(
        Case::on(
            seeded(
                TestApp::with(Backend::Plain)
                    .redis(&redis_url())
                    .start()
                    .await,
            )
            .await,
        )
        .await,
    )
    .await;
}

async fn seeded(app: TestApp) -> TestApp {
    app.seed().await;
    app
}

async fn changes(case: Case) {
    let (app, user, [one, two]) = (&case.app, case.user, case.sessions);
    let tags = case.tags().await;
    let _ = store(app, user, START, &[score(START, 3.0)]).await;
    let tags = case.assert_stale(&tags, "a new session").await;
    let body = session(user, one, START, &[score(START, 4.0)]);
    let _ = app
        .post("/api/sessions/?on_conflict=replace", &body)
        .await
        .expect(200);
    let tags = case.assert_stale(&tags, "a replacement by POST").await;
    let body = session(user, one, START, &[score(START, 5.0)]);
    let _ = app
        .put(&format!("/api/sessions/{one}/"), &body)
        .await
        .expect(200);
    let tags = case.assert_stale(&tags, "a replacement by PUT").await;
    let _ = app
        .delete(&format!("/api/sessions/{two}/"))
        .await
        .expect(204);
    let tags = case.assert_stale(&tags, "a deletion").await;
    // The same points stored again are a new version.
    let _ = app
        .post(
            "/api/sessions/",
            &session(user, two, START, &[score(START, 2.0)]),
        )
        .await
        .expect(201);
    let _ = case.assert_stale(&tags, "the deleted session again").await;
}

async fn a_changed_metric_type_changes_the_etag(backend: Backend) {
    let case = Case::new(backend).await;
    let tags = case.tags().await;
    let path = format!("/api/metrictypes/{SCORE}/");
    let mut body = case.app.get(&path).await.expect(200).json();
    for member in ["channels", "created_at", "updated_at"] {
        body.as_object_mut().expect("an object").remove(member);
    }
    body["unit"] = json!("points");
    let _ = case.app.put(&path, &body).await.expect(200);
    let tags = case.assert_stale(&tags, "another unit").await;
    let number = json!({"type": "number"});
    body["schema"]["properties"]["quality"] = number;
    let _ = case.app.put(&path, &body).await.expect(200);
    let _ = case.assert_stale(&tags, "another leaf").await;
}

async fn a_write_without_effect_keeps_the_etag(backend: Backend) {
    let case = Case::new(backend).await;
    let (app, user, [one, _]) = (&case.app, case.user, case.sessions);
    let tags = case.tags().await;
    let same = session(user, one, START, &[score(START, 1.0)]);
    let _ = app.post("/api/sessions/", &same).await.expect(200);
    let _ = app
        .put(&format!("/api/sessions/{one}/"), &same)
        .await
        .expect(200);
    let other = session(user, one, START, &[score(START, 9.0)]);
    let _ = app.post("/api/sessions/", &other).await.expect(409);
    let _ = app
        .post("/api/sessions/?on_conflict=ignore", &other)
        .await
        .expect(200);
    let _ = app
        .post(
            "/api/sessions/?dry_run=true",
            &session(user, Uuid::new_v4(), START, &[]),
        )
        .await
        .expect(200);
    let _ = app
        .delete(&format!("/api/sessions/{}/", Uuid::new_v4()))
        .await
        .expect(404);
    assert_eq!(case.tags().await, tags);
}

async fn other_users_do_not_affect_the_etag(backend: Backend) {
    let case = Case::new(backend).await;
    let tags = case.tags().await;
    let rgb = json!({"r": 1, "g": 2, "b": 3});
    let _ = store(
        &case.app,
        Uuid::new_v4(),
        START,
        &[score(START, 1.0), point(COLOR, START, &rgb)],
    )
    .await;
    assert_eq!(case.tags().await, tags);
}
