//! The cache makes answers quicker, never older and never other ones.

use std::time::Duration;

use serde_json::json;
use time_series_testkit::{Answer, Backend, Relay, TestApp, TestRedis, redis_url};
use uuid::Uuid;

/// Asks for blocks of many days, which is worth caching, before and after each change.
async fn answers_are_always_fresh(app: &TestApp) {
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
    let app = TestApp::with(Backend::Plain)
        .redis(&redis_url())
        .start()
        .await;
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
    let app = TestApp::with(Backend::Plain)
        .redis("redis://127.0.0.1:1")
        .start()
        .await;
    answers_are_always_fresh(&app).await;
}

#[tokio::test]
async fn a_redis_that_comes_later_is_used() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let late = format!("redis://{address}");
    let app = TestApp::with(Backend::Plain)
        .redis(&late)
        .redis_wait(Duration::from_secs(2))
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
        is_kept = !keys.answers_with(&user.to_string()).await.is_empty();
        if is_kept {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(is_kept, "Redis came, and no answer was kept there");
}

#[tokio::test]
async fn a_kept_answer_is_used() {
    let app = TestApp::with(Backend::Plain)
        .redis(&redis_url())
        .redis_wait(Duration::from_secs(10))
        .start()
        .await;
    app.seed().await;
    let user = Uuid::new_v4();
    let point = json!({"series": "session.gut_health_score", "time": "2025-01-05T12:00:00Z", "value": {"value": 5}});
    let _ = app
        .post("/api/sessions/", &json!({"user_id": user, "data": [point]}))
        .await
        .expect(201);
    let query = "interval=hour&start_time=2025-01-01&end_time=2025-03-01";
    let first = app.timeseries(user, query).await.expect(200);
    // Behind the service's back, without a new version: only a kept answer still has the point.
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
    assert_eq!(other.json()["metadata"]["count"], 0);
}

const RANGE: &str = "start_time=2025-01-01&end_time=2025-03-01";

/// Stores a session of one point and returns its user.
async fn user_with_a_point(app: &TestApp, value: f64) -> Uuid {
    let user = Uuid::new_v4();
    let point = json!({"series": "session.gut_health_score", "time": "2025-01-05T12:00:00Z", "value": {"value": value}});
    let _ = app
        .post("/api/sessions/", &json!({"user_id": user, "data": [point]}))
        .await
        .expect(201);
    user
}

fn etag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().expect("a tag").to_owned()
}

#[tokio::test]
async fn an_entry_that_the_service_did_not_store_under_its_key_is_not_served() {
    let app = TestApp::with(Backend::Plain)
        .redis(&redis_url())
        .redis_wait(Duration::from_secs(10))
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
        .answers_with(&user.to_string())
        .await
        .try_into()
        .expect("one entry");
    let entry = redis.get(&key).await;
    assert!(
        entry.starts_with(made.text.as_bytes()),
        "the answer, then the code"
    );

    let _ = app.timeseries(user, &days).await.expect(200);
    let mut keys = redis.answers_with(&user.to_string()).await;
    keys.retain(|other| *other != key);
    let [other_query] = keys.try_into().expect("one more entry");
    let stranger = user_with_a_point(&app, 77.0).await;
    let _ = app.timeseries(stranger, &hours).await.expect(200);
    let [other_user] = redis
        .answers_with(&stranger.to_string())
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
            "an answer as earlier releases stored it",
            made.text.clone().into_bytes(),
        ),
        (
            "another answer without a code",
            made.text.replace("5.0", "6.0").into_bytes(),
        ),
        ("another user's entry", redis.get(&other_user).await),
        ("the entry of another query", redis.get(&other_query).await),
        ("a cut entry", entry[..entry.len() - 1].to_vec()),
        ("half an entry", entry[..entry.len() / 2].to_vec()),
        ("an entry without its begin", entry[1..].to_vec()),
        ("two entries", entry.repeat(2)),
        ("a flipped bit in the answer", flipped),
        ("a flipped bit in the code", other_code),
        ("more than an entry may have", vec![b' '; 5 << 20]),
        ("nothing", Vec::new()),
    ];
    let rejected_before = rejected(&app).await;
    let count = forged.len() as u64;
    for (what, forged) in forged {
        redis.set(&key, &forged).await;
        let answer = app.timeseries(user, &hours).await.expect(200);
        assert_eq!(answer.text, made.text, "{what}");
        assert_eq!(etag(&answer), etag(&made), "{what}");
        assert!(
            redis.get(&key).await == entry,
            "{what} is replaced by the answer that was made"
        );
    }
    // An empty entry, and one beyond the size of any, count as absent.
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

/// How many entries were rejected in this process.
async fn rejected(app: &TestApp) -> u64 {
    let metrics = app.get("/metrics").await.expect(200).text;
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix("cache_rejected_total "));
    value.map_or(0, |value| value.parse().expect("a count"))
}

#[tokio::test]
async fn a_secret_key_takes_the_place_of_the_one_in_the_database() {
    let secret = "a secret of at least thirty-two bytes";
    let app = TestApp::with(Backend::Plain)
        .redis(&redis_url())
        .redis_wait(Duration::from_secs(10))
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
        "the kept answer"
    );
}

#[tokio::test]
async fn without_a_secret_queries_are_answered_and_nothing_is_cached() {
    let app = TestApp::with(Backend::Plain)
        .redis(&redis_url())
        .redis_wait(Duration::from_secs(10))
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
    assert_eq!(made.json()["metadata"]["count"], 1);
    assert_eq!(
        TestRedis::connect()
            .await
            .answers_with(&user.to_string())
            .await,
        Vec::<String>::new()
    );
}
