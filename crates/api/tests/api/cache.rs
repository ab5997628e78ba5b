//! The result cache never changes a response: cached results are current and identical.

use std::time::Duration;

use serde_json::json;
use time_series_testkit::{Backend, Relay, Response, TestApp, TestRedis, redis_url};
use uuid::Uuid;

use crate::common::{SCORE, point};

/// Queries blocks of many days, which are worth caching, before and after each change.
async fn responses_are_always_current(app: &TestApp) {
    app.seed().await;
    let user = Uuid::new_v4();
    let query =
        "interval=day&start_time=2025-01-01&end_time=2025-03-01&agg_func=count&tz=America/New_York";
    let path = "/api/sessions/";
    let mut ids = Vec::new();
    for day in 1..=6 {
        let id = Uuid::new_v4();
        let time = format!("2025-01-0{day}T12:00:00Z");
        let point =
            json!({"series": "session.gut_health_score", "time": time, "value": {"value": day}});
        let _ = app
            .post(
                path,
                &json!({"user_id": user, "session_id": id, "data": [point]}),
            )
            .await
            .expect(201);
        ids.push(id);
        for _ in 0..3 {
            let response = app.timeseries(user, query).await.expect(200).json();
            assert_eq!(response["metadata"]["count"], day);
            assert_eq!(response["metadata"]["version"], day);
        }
    }
    for (gone, id) in ids.iter().enumerate() {
        let _ = app.delete(&format!("{path}{id}/")).await.expect(204);
        let response = app.timeseries(user, query).await.expect(200).json();
        assert_eq!(response["metadata"]["count"], 5 - gone);
    }
}

#[tokio::test]
async fn a_cache_in_redis_serves_current_responses() {
    let app = TestApp::with(Backend::Plain)
        .redis(&redis_url())
        .start()
        .await;
    responses_are_always_current(&app).await;
}

#[tokio::test]
async fn a_cache_in_the_process_serves_current_responses() {
    let app = TestApp::with(Backend::Plain).cache().start().await;
    responses_are_always_current(&app).await;
}

#[tokio::test]
async fn an_unreachable_redis_does_not_change_responses() {
    // Nothing listens on port 1.
    let app = TestApp::with(Backend::Plain)
        .redis("redis://127.0.0.1:1")
        .start()
        .await;
    responses_are_always_current(&app).await;
}

#[tokio::test]
async fn a_redis_that_starts_later_is_used() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let late = format!("redis://{address}");
    let app = TestApp::with(Backend::Plain)
        .redis(&late)
        .redis_timeout(Duration::from_secs(2))
        .start()
        .await;
    app.seed().await;
    let user = user_with_a_point(&app, 7.0).await;
    let query = format!("interval=hour&{RANGE}");
    let _ = app.timeseries(user, &query).await.expect(200);
    let redis = redis_url();
    let server = redis
        .trim_start_matches("redis://")
        .trim_end_matches('/')
        .to_owned();
    let _relay = Relay::at(address, server).await;
    let keys = TestRedis::connect().await;
    let mut is_kept = false;
    for _ in 0..120 {
        let _ = app.timeseries(user, &query).await.expect(200);
        is_kept = !keys.keys_with(&user.to_string()).await.is_empty();
        if is_kept {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(
        is_kept,
        "Redis is reachable, but no response was cached there"
    );
}

#[tokio::test]
async fn a_cached_response_is_used() {
    let app = TestApp::with(Backend::Plain)
        .redis(&redis_url())
        .redis_timeout(Duration::from_secs(10))
        .start()
        .await;
    app.seed().await;
    let user = Uuid::new_v4();
    let point = point(SCORE, "2025-01-05T12:00:00Z", &json!({"value": 5}));
    let _ = app
        .post("/api/sessions/", &json!({"user_id": user, "data": [point]}))
        .await
        .expect(201);
    let query = "interval=hour&start_time=2025-01-01&end_time=2025-03-01";
    let first = app.timeseries(user, query).await.expect(200);
    // Deletes the data without a new version: only a cached response still has the point.
    app.database
        .connect()
        .await
        .batch_execute("DELETE FROM block")
        .await
        .unwrap();
    assert_eq!(
        app.timeseries(user, query).await.expect(200).text,
        first.text
    );
    let other = app
        .timeseries(
            user,
            "interval=15m&start_time=2025-01-01&end_time=2025-03-01",
        )
        .await
        .expect(200);
    assert_eq!(other.metadata().count, 0);
}

const RANGE: &str = "start_time=2025-01-01&end_time=2025-03-01";

/// Stores a session of one point and returns its user.
async fn user_with_a_point(app: &TestApp, value: f64) -> Uuid {
    let user = Uuid::new_v4();
    let point = point(SCORE, "2025-01-05T12:00:00Z", &json!({"value": value}));
    let _ = app
        .post("/api/sessions/", &json!({"user_id": user, "data": [point]}))
        .await
        .expect(201);
    user
}

fn etag(response: &Response) -> String {
    response.headers["etag"].to_str().expect("a tag").to_owned()
}

#[tokio::test]
async fn forged_cache_entries_are_not_served() {
    let app = TestApp::with(Backend::Plain)
        .redis(&redis_url())
        .redis_timeout(Duration::from_secs(10))
        .start()
        .await;
    app.seed().await;
    let redis = TestRedis::connect().await;
    let user = user_with_a_point(&app, 5.0).await;
    let (hours, days) = (
        format!("interval=hour&{RANGE}"),
        format!("interval=day&tz=Asia/Tokyo&{RANGE}"),
    );
    let made = app.timeseries(user, &hours).await.expect(200);
    let [key] = redis
        .keys_with(&user.to_string())
        .await
        .try_into()
        .expect("one entry");
    let entry = redis.get(&key).await;
    assert!(
        entry.starts_with(made.text.as_bytes()),
        "the response, then the code"
    );

    let _ = app.timeseries(user, &days).await.expect(200);
    let mut keys = redis.keys_with(&user.to_string()).await;
    keys.retain(|other| *other != key);
    let [other_query] = keys.try_into().expect("one more entry");
    let stranger = user_with_a_point(&app, 77.0).await;
    let _ = app.timeseries(stranger, &hours).await.expect(200);
    let [other_user] = redis
        .keys_with(&stranger.to_string())
        .await
        .try_into()
        .expect("one entry");

    let mut flipped = entry.clone();
    flipped[made.text.len() / 2] ^= 1;
    let mut other_code = entry.clone();
    *other_code.last_mut().expect("a byte") ^= 1;
    let forged = [
        ("garbage", b"\xff\x00garbage".to_vec()),
        ("a few zeros", vec![0; 33]),
        ("a script", b"<script>alert(1)</script>".to_vec()),
        (
            "a response in the format of earlier releases",
            made.text.clone().into_bytes(),
        ),
        (
            "another response without a code",
            made.text.replace("5.0", "6.0").into_bytes(),
        ),
        ("another user's entry", redis.get(&other_user).await),
        ("the entry of another query", redis.get(&other_query).await),
        ("a truncated entry", entry[..entry.len() - 1].to_vec()),
        ("half an entry", entry[..entry.len() / 2].to_vec()),
        ("an entry without its begin", entry[1..].to_vec()),
        ("two entries", entry.repeat(2)),
        ("a flipped bit in the response", flipped),
        ("a flipped bit in the code", other_code),
        ("an entry above the maximum size", vec![b' '; 5 << 20]),
        ("nothing", Vec::new()),
    ];
    let rejected_before = rejected(&app).await;
    let count = forged.len() as u64;
    for (label, forged) in forged {
        redis.set(&key, &forged).await;
        let response = app.timeseries(user, &hours).await.expect(200);
        assert_eq!(response.text, made.text, "{label}");
        assert_eq!(etag(&response), etag(&made), "{label}");
        assert!(
            redis.get(&key).await == entry,
            "{label} is replaced by the computed response"
        );
    }
    // An empty entry and an oversized one count as absent.
    assert!(
        rejected(&app).await >= rejected_before + count - 2,
        "rejected entries are counted"
    );
    redis.set_list(&key).await;
    for _ in 0..2 {
        assert_eq!(
            app.timeseries(user, &hours).await.expect(200).text,
            made.text,
            "a list"
        );
    }
    assert!(
        redis.get(&key).await == entry,
        "Redis is still used after an entry of another type"
    );
}

/// Number of entries that this process has rejected.
async fn rejected(app: &TestApp) -> u64 {
    let metrics = app.get("/metrics").await.expect(200).text;
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix("cache_rejected_total "));
    value.map_or(0, |value| value.parse().expect("a count"))
}

#[tokio::test]
async fn secret_key_overrides_the_stored_secret() {
    let secret = "a secret of at least thirty-two bytes";
    let app = TestApp::with(Backend::Plain)
        .redis(&redis_url())
        .redis_timeout(Duration::from_secs(10))
        .secret_key(secret);
    let app = app.start().await;
    app.seed().await;
    let client = app.database.connect().await;
    client
        .batch_execute("DELETE FROM service_secret")
        .await
        .expect("deleted");
    let user = user_with_a_point(&app, 5.0).await;
    let query = format!("interval=hour&{RANGE}");
    let made = app.timeseries(user, &query).await.expect(200);
    client
        .batch_execute("DELETE FROM block")
        .await
        .expect("deleted");
    assert_eq!(
        app.timeseries(user, &query).await.expect(200).text,
        made.text,
        "the cached response"
    );
}

#[tokio::test]
async fn without_a_secret_queries_succeed_and_nothing_is_cached() {
    let app = TestApp::with(Backend::Plain)
        .redis(&redis_url())
        .redis_timeout(Duration::from_secs(10))
        .start()
        .await;
    app.seed().await;
    app.database
        .connect()
        .await
        .batch_execute("DELETE FROM service_secret")
        .await
        .expect("deleted");
    let user = user_with_a_point(&app, 5.0).await;
    let made = app
        .timeseries(user, &format!("interval=hour&{RANGE}"))
        .await
        .expect(200);
    assert_eq!(made.metadata().count, 1);
    assert_eq!(
        TestRedis::connect()
            .await
            .keys_with(&user.to_string())
            .await,
        Vec::<String>::new()
    );
}
