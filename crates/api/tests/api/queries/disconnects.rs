//! A client that disconnects during a query leaves no work behind.

use std::time::Duration;

use futures_util::future::join_all;
use time_series_testkit::{Backend, TestApp};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::common::assert_problem;
use crate::on_both_servers;
use crate::queries::support::get_with;
use crate::queries::timeouts::{heavy, light, many_points};

on_both_servers![
    disconnected_clients_cancel_their_queries,
    disconnected_clients_cancel_their_streams,
    disconnected_clients_release_their_permits,
];

/// Maximum number of checks that the database is idle, ten per second.
const LOOKS: usize = 200;

/// Statements in the test's database that are not the test's own.
const ACTIVE: &str = "SELECT coalesce(string_agg(state || ': ' || left(query, 80), E'\\n'), '') FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend' AND state <> 'idle'";

/// Sends a request, waits `milliseconds` and disconnects without reading.
async fn send_and_disconnect(app: &TestApp, path: &str, after: u64) {
    let address = app.url.strip_prefix("http://").expect("an HTTP address");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the request is sent");
    tokio::time::sleep(Duration::from_millis(after)).await;
}

/// Runs many clients at once, each of which disconnects slightly later than the previous one.
async fn many_disconnect(app: &TestApp, path: &str) {
    join_all((0..100).map(|i| send_and_disconnect(app, path, i * 3))).await;
}

/// Checks that the query takes measurable time.
async fn assert_takes_time(app: &TestApp, path: &str) {
    for _ in 0..50 {
        let response = get_with(app, path, &[], &[("request-timeout", "0.001")]).await;
        if response.status == 503 {
            return assert_problem(&response, 503, "timed_out");
        }
    }
    panic!("every response arrived within a millisecond: {path}");
}

async fn wait_until_idle(app: &TestApp) {
    let watcher = app.database.connect().await;
    let mut active = String::new();
    for _ in 0..LOOKS {
        active = watcher
            .query_one(ACTIVE, &[])
            .await
            .expect("activity")
            .get(0);
        if active.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("still active: {active}");
}

async fn disconnected_clients_cancel_their_queries(backend: Backend) {
    let app = TestApp::start(backend).await;
    let user = many_points(&app).await;
    let light = light(user);
    let before = app.get(&light).await.expect(200).text;
    assert_takes_time(&app, &heavy(user)).await;
    many_disconnect(&app, &heavy(user)).await;
    wait_until_idle(&app).await;
    for response in join_all((0..8).map(|_| app.get(&light))).await {
        assert_eq!(response.expect(200).text, before);
    }
    let _ = app.get("/health/ready").await.expect(200);
}

async fn disconnected_clients_cancel_their_streams(backend: Backend) {
    let app = TestApp::start(backend).await;
    let user = many_points(&app).await;
    for format in ["csv", "ndjson", "arrow", "parquet"] {
        many_disconnect(
            &app,
            &format!("/api/points/?user_id={user}&format={format}"),
        )
        .await;
    }
    wait_until_idle(&app).await;
    let page = app
        .get(&format!("/api/points/?user_id={user}&limit=5"))
        .await
        .expect(200);
    assert_eq!(page.metadata().count, 5);
}

async fn disconnected_clients_release_their_permits(backend: Backend) {
    let app = TestApp::with(backend).query_concurrency(1).start().await;
    let user = many_points(&app).await;
    assert_takes_time(&app, &heavy(user)).await;
    many_disconnect(&app, &heavy(user)).await;
    wait_until_idle(&app).await;
    let light = light(user);
    for response in join_all((0..8).map(|_| app.get(&light))).await {
        assert_eq!(response.expect(200).metadata().count, 16);
    }
}
