//! The cache makes answers quicker, never older.

use std::time::Duration;

use serde_json::json;
use time_series_testkit::{Backend, TestApp, redis_url};
use uuid::Uuid;

/// Asks for blocks of many days, which is worth caching, before and after each change.
async fn answers_are_always_fresh(app: &TestApp) {
    app.seed().await;
    let user = Uuid::new_v4();
    let query = "interval=day&start_time=2025-01-01&end_time=2025-03-01&agg_func=count&tz=America/New_York";
    let path = "/api/sessions/";
    let mut ids = Vec::new();
    for day in 1..=6 {
        let id = Uuid::new_v4();
        let time = format!("2025-01-0{day}T12:00:00Z");
        let point = json!({"series": "session.gut_health_score", "time": time, "value": {"value": day}});
        let _ = app.post(path, &json!({"user_id": user, "session_id": id, "data": [point]})).await.expect(201);
        ids.push(id);
        for _ in 0..3 {
            let answer = app.timeseries(user, query).await.expect(200).json();
            assert_eq!(answer["metadata"]["count"], day);
            assert_eq!(answer["metadata"]["version"], day);
        }
    }
    for (gone, id) in ids.iter().enumerate() {
        let _ = app.delete(&format!("{path}{id}/")).await.expect(204);
        let answer = app.timeseries(user, query).await.expect(200).json();
        assert_eq!(answer["metadata"]["count"], 5 - gone);
    }
}

#[tokio::test]
async fn with_redis() {
    let app = TestApp::with(Backend::Plain).redis(&redis_url()).start().await;
    answers_are_always_fresh(&app).await;
}

#[tokio::test]
async fn in_the_process() {
    let app = TestApp::with(Backend::Plain).cache().start().await;
    answers_are_always_fresh(&app).await;
}

#[tokio::test]
async fn without_a_redis_that_answers() {
    // Nothing listens on port 1.
    let app = TestApp::with(Backend::Plain).redis("redis://127.0.0.1:1").start().await;
    answers_are_always_fresh(&app).await;
}

#[tokio::test]
async fn a_kept_answer_is_used() {
    let app = TestApp::with(Backend::Plain).redis(&redis_url()).redis_wait(Duration::from_secs(10)).start().await;
    app.seed().await;
    let user = Uuid::new_v4();
    let point = json!({"series": "session.gut_health_score", "time": "2025-01-05T12:00:00Z", "value": {"value": 5}});
    let _ = app.post("/api/sessions/", &json!({"user_id": user, "data": [point]})).await.expect(201);
    let query = "interval=hour&start_time=2025-01-01&end_time=2025-03-01";
    let first = app.timeseries(user, query).await.expect(200);
    // Behind the service's back, without a new version: only a kept answer still has the point.
    app.database.connect().await.batch_execute("DELETE FROM block").await.unwrap();
    assert_eq!(app.timeseries(user, query).await.expect(200).text, first.text);
    let other = app.timeseries(user, "interval=15m&start_time=2025-01-01&end_time=2025-03-01").await.expect(200);
    assert_eq!(other.json()["metadata"]["count"], 0);
}
