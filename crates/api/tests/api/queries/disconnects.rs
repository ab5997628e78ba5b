//! Clients that go away in the middle of a query leave nothing behind.

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
    queries_of_clients_that_left_do_not_go_on,
    streams_of_clients_that_left_do_not_go_on,
    places_of_clients_that_left_are_free,
];

/// How often the database is asked whether all is quiet, ten times a second.
const LOOKS: usize = 200;

/// What runs in the test's database for others than the test.
const ACTIVE: &str = "SELECT coalesce(string_agg(state || ': ' || left(query, 80), E'\\n'), '') FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend' AND state <> 'idle'";

/// Sends a request, waits so many milliseconds, and leaves without reading.
async fn leave(app: &TestApp, path: &str, after: u64) {
    let address = app.url.strip_prefix("http://").expect("an HTTP address");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the request is sent");
    tokio::time::sleep(Duration::from_millis(after)).await;
}

/// Many clients at once, of which each leaves a little later than the one before.
async fn many_leave(app: &TestApp, path: &str) {
    join_all((0..100).map(|i| leave(app, path, i * 3))).await;
}

/// Checks that the query is one that takes time.
async fn takes_time(app: &TestApp, path: &str) {
    for _ in 0..50 {
        let answer = get_with(app, path, &[], &[("request-timeout", "0.001")]).await;
        if answer.status == 503 {
            return assert_problem(&answer, 503, "timed_out");
        }
    }
    panic!("every answer came within a millisecond: {path}");
}

async fn all_is_quiet(app: &TestApp) {
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

async fn queries_of_clients_that_left_do_not_go_on(backend: Backend) {
    let app = TestApp::start(backend).await;
    let user = many_points(&app).await;
    let light = light(user);
    let before = app.get(&light).await.expect(200).text;
    takes_time(&app, &heavy(user)).await;
    many_leave(&app, &heavy(user)).await;
    all_is_quiet(&app).await;
    for answer in join_all((0..8).map(|_| app.get(&light))).await {
        assert_eq!(answer.expect(200).text, before);
    }
    let _ = app.get("/health/ready").await.expect(200);
}

async fn streams_of_clients_that_left_do_not_go_on(backend: Backend) {
    let app = TestApp::start(backend).await;
    let user = many_points(&app).await;
    for form in ["csv", "ndjson", "arrow", "parquet"] {
        many_leave(&app, &format!("/api/points/?user_id={user}&format={form}")).await;
    }
    all_is_quiet(&app).await;
    let page = app
        .get(&format!("/api/points/?user_id={user}&limit=5"))
        .await
        .expect(200);
    assert_eq!(page.json()["metadata"]["count"], 5);
}

async fn places_of_clients_that_left_are_free(backend: Backend) {
    let app = TestApp::with(backend).query_concurrency(1).start().await;
    let user = many_points(&app).await;
    takes_time(&app, &heavy(user)).await;
    many_leave(&app, &heavy(user)).await;
    all_is_quiet(&app).await;
    let light = light(user);
    for answer in join_all((0..8).map(|_| app.get(&light))).await {
        assert_eq!(answer.expect(200).json()["metadata"]["count"], 16);
    }
}
