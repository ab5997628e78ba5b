//! The service survives failures of its database.

use std::time::Duration;

use serde_json::{Value, json};
use time_series_testkit::{Backend, Relay, Response, TestApp};
use uuid::Uuid;

use crate::common::{SCORE, point};

/// Maximum attempts; enough to find every pooled connection dead once.
const TRIES: usize = 50;

async fn until_ready(app: &TestApp) {
    for _ in 0..TRIES {
        if app.get("/health/ready").await.status == 200 {
            return;
        }
    }
    let _ = app.get("/health/ready").await.expect(200);
}

async fn post_until_served(app: &TestApp, session: &Value) -> Response {
    for _ in 0..TRIES {
        let response = app.post("/api/sessions/", session).await;
        if response.status != 503 {
            return response;
        }
    }
    app.post("/api/sessions/", session).await
}

#[tokio::test]
async fn lost_connections_are_replaced() {
    let app = TestApp::seeded(Backend::Plain).await;
    let user = Uuid::new_v4();
    let point = point(SCORE, "2025-01-01T00:00:00Z", &json!({"value": 1}));
    let body = json!({"user_id": user, "session_id": Uuid::new_v4(), "data": [point]});
    let _ = app.post("/api/sessions/", &body).await.expect(201);
    let killer = app.database.connect().await;
    for _ in 0..3 {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        killer.batch_execute(kill).await.unwrap();
        until_ready(&app).await;
        let response = post_until_served(&app, &body).await;
        assert_eq!(response.expect(200).receipt().outcome, "unchanged");
    }
}

#[tokio::test]
async fn an_unmigrated_database_is_not_ready_and_names_the_command() {
    let app = TestApp::seeded(Backend::Plain).await;
    app.database
        .connect()
        .await
        .batch_execute("DELETE FROM refinery_schema_history")
        .await
        .unwrap();
    // The next heartbeat detects it.
    let mut response = app.get("/health/ready").await;
    while response.status == 200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        response = app.get("/health/ready").await;
    }
    let response = response.expect(503);
    assert!(
        response.text.contains("cargo xtask migrate"),
        "{}",
        response.text
    );
    assert_eq!(app.get("/health/live").await.status, 200);
}

#[tokio::test]
async fn internal_failures_show_no_details() {
    let app = TestApp::seeded(Backend::Plain).await;
    app.database
        .connect()
        .await
        .batch_execute("ALTER TABLE session RENAME TO gone")
        .await
        .unwrap();
    let point = point(SCORE, "2025-01-01T00:00:00Z", &json!({"value": 1}));
    let response = app
        .post(
            "/api/sessions/",
            &json!({"user_id": Uuid::new_v4(), "data": [point]}),
        )
        .await
        .expect(500);
    assert_eq!(response.code(), "internal");
    for word in ["relation", "session\"", "SQL", "postgres"] {
        assert!(!response.text.contains(word), "{}", response.text);
    }
}

#[tokio::test]
async fn every_write_is_in_a_transaction() {
    let app = TestApp::seeded(Backend::Plain).await;
    let database = app.database.connect().await;
    let note = "CREATE TABLE seen (unless_begun text, begun text);
                CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    INSERT INTO seen VALUES (current_setting('default_transaction_read_only'), current_setting('transaction_read_only'));
                    RETURN NULL;
                END $$;
                CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON user_version EXECUTE FUNCTION note();
                CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON metric_type EXECUTE FUNCTION note();";
    database.batch_execute(note).await.unwrap();
    let (user, id) = (Uuid::new_v4(), Uuid::new_v4());
    let point = point(SCORE, "2025-01-01T00:00:00Z", &json!({"value": 1}));
    let body = json!({"user_id": user, "session_id": id, "data": [point]});
    let _ = app.post("/api/sessions/", &body).await.expect(201);
    let _ = app
        .put(&format!("/api/sessions/{id}/"), &body)
        .await
        .expect(200);
    let _ = app
        .delete(&format!("/api/sessions/{id}/?user_id={user}"))
        .await
        .expect(204);
    app.metric_type("new", &json!({"type": "number"})).await;
    let _ = app.delete("/api/metrictypes/new/").await.expect(204);
    let seen = database
        .query("SELECT unless_begun, begun FROM seen", &[])
        .await
        .unwrap();
    let seen: Vec<(&str, &str)> = seen.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(seen.len() >= 4, "{seen:?}");
    assert!(seen.iter().all(|pair| *pair == ("on", "off")), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_network_ends_in_a_response() {
    let relay = Relay::to(Backend::Plain.address()).await;
    let (statement, wait) = (Duration::from_secs(2), Duration::from_secs(4));
    let app = TestApp::with(Backend::Plain)
        .relay(&relay)
        .statement_timeout(statement)
        .database_timeout(wait);
    let app = app.start().await;
    app.seed().await;
    let user = Uuid::new_v4();
    let point = point(SCORE, "2025-01-01T00:00:00Z", &json!({"value": 1}));
    let session = || json!({"user_id": user, "session_id": Uuid::new_v4(), "data": [point]});
    let _ = app.post("/api/sessions/", &session()).await.expect(201);
    relay.drop_traffic();
    // The connection is open and accepts everything, but no response arrives.
    let lost = session();
    let response = app.post("/api/sessions/", &lost).await.expect(503);
    assert!(
        response.headers.contains_key("retry-after"),
        "{}",
        response.text
    );
    relay.resume();
    let again = post_until_served(&app, &lost).await;
    assert_eq!(again.expect(201).receipt().outcome, "created");
}
