//! A primary and a standby: what reads may see, and what becomes of both when servers fail.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use time_series_api::ReplicaReads;
use time_series_testkit::{Answer, Backend, Node, Peer, Replicated, TestApp};
use uuid::Uuid;

const SERIES: &str = "session.gut_health_score";
/// A test gives up after this.
const PATIENCE: Duration = Duration::from_mins(1);

fn service(pair: &Replicated, reads: ReplicaReads) -> Peer {
    let service = TestApp::with(Backend::Plain).replica(&pair.url(Node::Second), reads);
    service
        .database_wait(Duration::from_secs(2))
        .serve_on(&pair.url(Node::First))
}

async fn metric_type(peer: &Peer) {
    let schema = json!({"type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"]});
    let body = json!({"series": SERIES, "schema": schema});
    let _ = peer.post("/api/metrictypes/", &body).await.expect(201);
}

fn session(user: Uuid, id: Uuid, value: u32) -> Value {
    json!({"user_id": user, "session_id": id, "data":
        [{"series": SERIES, "time": "2025-01-01T00:00:00Z", "value": {"value": value}}]})
}

async fn post(peer: &Peer, user: Uuid, value: u32) -> u64 {
    let answer = peer
        .post("/api/sessions/", &session(user, Uuid::new_v4(), value))
        .await
        .expect(201);
    answer.json()["version"].as_u64().expect("a version")
}

async fn sum(peer: &Peer, user: Uuid, more: &str) -> Answer {
    let range = "start_time=2025-01-01&end_time=2025-01-02&interval=all&agg_func=sum";
    peer.get(&format!("/api/timeseries/?user_id={user}&{range}{more}"))
        .await
}

fn value(answer: &Answer) -> Option<f64> {
    answer.json()["results"].as_array()?.first()?["value"].as_f64()
}

/// The number of reads that a source has answered in this process.
async fn answered_by(peer: &Peer, source: &str) -> f64 {
    let metrics = peer.get("/metrics").await.text;
    let line = metrics
        .lines()
        .find(|line| line.starts_with(&format!("reads_total{{source=\"{source}\"}}")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or_default()
}

/// Reads that name a version see it, whichever server answers, and whether the standby follows or stands still.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_sees_the_version_that_it_names() {
    let pair = Replicated::start().await;
    let peer = service(&pair, ReplicaReads::Versioned);
    metric_type(&peer).await;
    let user = Uuid::new_v4();
    let mut total = 0;
    for round in 0..60 {
        match round % 20 {
            5 => {
                pair.execute(Node::Second, "SELECT pg_wal_replay_pause()")
                    .await
            }
            15 => {
                pair.execute(Node::Second, "SELECT pg_wal_replay_resume()")
                    .await
            }
            _ => {}
        }
        let version = post(&peer, user, round).await;
        total += round;
        let answer = sum(&peer, user, &format!("&min_version={version}"))
            .await
            .expect(200);
        assert_eq!(value(&answer), Some(f64::from(total)), "{}", answer.text);
        for path in ["points", "latest", "catalog"] {
            let path = format!("/api/{path}/?user_id={user}&min_version={version}");
            let answer = peer.get(&path).await.expect(200);
            let shown: u64 = answer.headers["user-version"]
                .to_str()
                .expect("text")
                .parse()
                .expect("a number");
            assert!(shown >= version, "{path}: {shown} of {version}");
        }
        let stream = peer
            .get(&format!(
                "/api/points/?user_id={user}&min_version={version}&format=ndjson"
            ))
            .await;
        let lines = stream.expect(200).text;
        assert_eq!(
            lines.lines().filter(|line| line.contains(SERIES)).count(),
            round as usize + 1
        );
        // Without a version, the latest is what counts.
        assert_eq!(
            value(&sum(&peer, user, "").await.expect(200)),
            Some(f64::from(total))
        );
    }
    pair.caught_up().await;
    let before = answered_by(&peer, "replica").await;
    let _ = sum(&peer, user, "&min_version=1").await.expect(200);
    assert!(
        answered_by(&peer, "replica").await > before,
        "a replica that has the version answers"
    );
}

/// With staleness allowed, replicas answer everything, and an answer never mixes two versions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_reads_may_be_those_of_replicas() {
    let pair = Replicated::start().await;
    let peer = service(&pair, ReplicaReads::All);
    metric_type(&peer).await;
    let user = Uuid::new_v4();
    post(&peer, user, 1).await;
    pair.caught_up().await;
    pair.execute(Node::Second, "SELECT pg_wal_replay_pause()")
        .await;
    let version = post(&peer, user, 2).await;
    let stale = sum(&peer, user, "").await.expect(200);
    assert_eq!(
        (value(&stale), stale.json()["metadata"]["version"].as_u64()),
        (Some(1.0), Some(version - 1))
    );
    let fresh = sum(&peer, user, &format!("&min_version={version}"))
        .await
        .expect(200);
    assert_eq!(
        (value(&fresh), fresh.json()["metadata"]["version"].as_u64()),
        (Some(3.0), Some(version))
    );
    // Changed metric types are known to the primary first.
    let _ = peer
        .post(
            "/api/metrictypes/",
            &json!({"series": "late", "schema": {"type": "number"}}),
        )
        .await
        .expect(201);
    let late = json!({"user_id": user, "data": [{"series": "late", "time": "2025-01-01T00:00:00Z", "value": 7}]});
    let late = peer.post("/api/sessions/", &late).await.expect(201).json()["version"]
        .as_u64()
        .expect("a version");
    let read = sum(&peer, user, &format!("&series=late&min_version={late}"))
        .await
        .expect(200);
    assert_eq!(value(&read), Some(7.0));
}

/// Without its primary the service serves reads, refuses writes, and says both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_without_a_primary() {
    let mut pair = Replicated::start().await;
    let peer = service(&pair, ReplicaReads::Versioned);
    metric_type(&peer).await;
    let user = Uuid::new_v4();
    let id = Uuid::new_v4();
    let _ = peer
        .post("/api/sessions/", &session(user, id, 5))
        .await
        .expect(201);
    pair.caught_up().await;
    let _ = sum(&peer, user, "").await.expect(200);
    pair.crash(Node::First);
    assert_eq!(value(&sum(&peer, user, "").await.expect(200)), Some(5.0));
    for path in [
        format!("/api/points/?user_id={user}"),
        format!("/api/points/?user_id={user}&format=ndjson"),
        format!("/api/latest/?user_id={user}"),
        format!("/api/catalog/?user_id={user}"),
        format!("/api/sessions/?user_id={user}"),
        format!("/api/sessions/{id}/"),
        format!("/api/sessions/{id}/points/"),
    ] {
        assert!(
            peer.get(&path)
                .await
                .expect(200)
                .text
                .contains(&user.to_string())
                || path.contains("ndjson"),
            "{path}"
        );
    }
    // A version that only the primary can have is not made up.
    for path in ["timeseries", "points", "latest"] {
        let _ = peer
            .get(&format!("/api/{path}/?user_id={user}&min_version=99"))
            .await
            .expect(503);
    }
    let refused = peer
        .post("/api/sessions/", &session(user, Uuid::new_v4(), 6))
        .await
        .expect(503);
    assert!(
        refused.headers.contains_key("retry-after"),
        "{}",
        refused.text
    );
    until("readiness says what works", async || {
        let writes = peer.get("/health/ready/?for=writes").await.status == 503;
        writes && peer.get("/health/ready/").await.status == 200
    })
    .await;
    pair.restart(Node::First).await;
    until("writes work again", async || {
        peer.post("/api/sessions/", &session(user, Uuid::new_v4(), 7))
            .await
            .status
            == 201
    })
    .await;
}

/// A read that loses against the recovery of its standby is made again by the primary, or cut off so that it shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_recovery_cancels_is_made_again() {
    let pair = Replicated::start().await;
    let peer = service(&pair, ReplicaReads::All);
    metric_type(&peer).await;
    let user = Uuid::new_v4();
    for value in 0..20 {
        post(&peer, user, value).await;
    }
    pair.caught_up().await;
    // Each exclusive lock on the primary, replayed, cancels what reads the table on the standby.
    let locking = async {
        let client = pair.connect(Node::First).await;
        for _ in 0..200 {
            client
                .batch_execute("LOCK TABLE block, day_summary; SELECT 1")
                .await
                .expect("a lock");
        }
    };
    let reading = async {
        for _ in 0..200 {
            assert_eq!(value(&sum(&peer, user, "").await.expect(200)), Some(190.0));
            let points = peer
                .get(&format!("/api/points/?user_id={user}&limit=5"))
                .await
                .expect(200);
            assert_eq!(points.json()["metadata"]["count"], 5, "{}", points.text);
        }
    };
    tokio::join!(locking, reading);
}

/// The primary crashes, the standby is promoted, the old primary comes back as a standby: nothing that was acknowledged is
/// lost, and no answer is any other error than a 503, though the old one is the first of the URL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_loses_nothing() {
    let mut pair = Replicated::start().await;
    pair.execute(
        Node::First,
        "ALTER SYSTEM SET synchronous_standby_names = '*'",
    )
    .await;
    pair.execute(Node::First, "SELECT pg_reload_conf()").await;
    let service = TestApp::with(Backend::Plain).database_wait(Duration::from_secs(2));
    let peer = Arc::new(
        service
            .write_timeout(Duration::from_secs(5))
            .serve_on(&pair.both()),
    );
    metric_type(&peer).await;
    let user = Uuid::new_v4();
    let (ended, is_ended) = tokio::sync::watch::channel(false);
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (peer, is_ended) = (peer.clone(), is_ended.clone());
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                while !*is_ended.borrow() {
                    let id = Uuid::new_v4();
                    let answer = peer.post("/api/sessions/", &session(user, id, 1)).await;
                    match answer.status.as_u16() {
                        201 => acknowledged.push(id),
                        503 => tokio::time::sleep(Duration::from_millis(20)).await,
                        other => panic!("{other}: {}", answer.text),
                    }
                }
                acknowledged
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    pair.crash(Node::First);
    pair.promote(Node::Second).await;
    pair.execute(
        Node::Second,
        "ALTER SYSTEM SET synchronous_standby_names = ''",
    )
    .await;
    pair.execute(Node::Second, "SELECT pg_reload_conf()").await;
    until("writes work again", async || {
        peer.post("/api/sessions/", &session(user, Uuid::new_v4(), 1))
            .await
            .status
            == 201
    })
    .await;
    // It is the first of the URL, and takes no writes.
    pair.demote(Node::First).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    ended.send(true).ok();
    let mut acknowledged = BTreeSet::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("a writer that saw 201 and 503"));
    }
    let stored = sessions(&pair, Node::Second).await;
    let lost: Vec<&Uuid> = acknowledged
        .iter()
        .filter(|id| !stored.contains(id))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} are lost",
        lost.len(),
        acknowledged.len()
    );
    assert!(!acknowledged.is_empty());
    let recovering = pair
        .connect(Node::First)
        .await
        .query_one("SELECT pg_is_in_recovery()", &[])
        .await;
    assert!(
        recovering.expect("an answer").get::<_, bool>(0),
        "the old primary took no writes"
    );
}

async fn sessions(pair: &Replicated, node: Node) -> BTreeSet<Uuid> {
    let rows = pair
        .connect(node)
        .await
        .query("SELECT session_id FROM session", &[])
        .await
        .expect("sessions");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "{what}, in vain");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
