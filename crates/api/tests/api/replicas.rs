//! A primary and a standby: what reads see, and how the service behaves when servers fail.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use time_series_api::ReplicaReads;
use time_series_testkit::{Backend, Node, ReplicaPair, Response, ServiceInstance, TestApp};
use uuid::Uuid;

use crate::common::SCORE;

/// Maximum time that a test waits for a condition.
const TIMEOUT: Duration = Duration::from_mins(1);

fn start_service(pair: &ReplicaPair, reads: ReplicaReads) -> ServiceInstance {
    TestApp::with(Backend::Plain)
        .replica(&pair.url(Node::Second), reads)
        .database_timeout(Duration::from_secs(2))
        .serve_on(&pair.url(Node::First))
}

async fn create_metric_type(service: &ServiceInstance) {
    let schema = json!({"type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"]});
    let body = json!({"series": SCORE, "schema": schema});
    let _ = service.post("/api/metrictypes/", &body).await.expect(201);
}

fn session(user: Uuid, id: Uuid, value: u32) -> Value {
    json!({"user_id": user, "session_id": id, "data":
        [{"series": SCORE, "time": "2025-01-01T00:00:00Z", "value": {"value": value}}]})
}

async fn post(service: &ServiceInstance, user: Uuid, value: u32) -> u64 {
    let response = service
        .post("/api/sessions/", &session(user, Uuid::new_v4(), value))
        .await
        .expect(201);
    response.receipt().version.expect("a version")
}

async fn sum(service: &ServiceInstance, user: Uuid, more: &str) -> Response {
    let range = "start_time=2025-01-01&end_time=2025-01-02&interval=all&agg_func=sum";
    service
        .get(&format!("/api/timeseries/?user_id={user}&{range}{more}"))
        .await
}

fn value(response: &Response) -> Option<f64> {
    response.json()["results"].as_array()?.first()?["value"].as_f64()
}

/// Number of reads that a source has served in this process.
async fn reads_by(service: &ServiceInstance, source: &str) -> f64 {
    let metrics = service.get("/metrics").await.text;
    let line = metrics
        .lines()
        .find(|line| line.starts_with(&format!("reads_total{{source=\"{source}\"}}")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or_default()
}

/// Reads that name a version see it, on every server, even if the standby is paused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_with_min_version_sees_that_version() {
    let pair = ReplicaPair::start().await;
    let service = start_service(&pair, ReplicaReads::Versioned);
    create_metric_type(&service).await;
    let user = Uuid::new_v4();
    let mut total = 0;
    for round in 0..60 {
        match round % 20 {
            5 => {
                pair.execute(Node::Second, "SELECT pg_wal_replay_pause()")
                    .await;
            }
            15 => {
                pair.execute(Node::Second, "SELECT pg_wal_replay_resume()")
                    .await;
            }
            _ => {}
        }
        let version = post(&service, user, round).await;
        total += round;
        let response = sum(&service, user, &format!("&min_version={version}"))
            .await
            .expect(200);
        assert_eq!(
            value(&response),
            Some(f64::from(total)),
            "{}",
            response.text
        );
        for path in ["points", "latest", "catalog"] {
            let path = format!("/api/{path}/?user_id={user}&min_version={version}");
            let response = service.get(&path).await.expect(200);
            let shown: u64 = response.headers["user-version"]
                .to_str()
                .expect("text")
                .parse()
                .expect("a number");
            assert!(shown >= version, "{path}: {shown} of {version}");
        }
        let stream = service
            .get(&format!(
                "/api/points/?user_id={user}&min_version={version}&format=ndjson"
            ))
            .await;
        let lines = stream.expect(200).text;
        assert_eq!(
            lines.lines().filter(|line| line.contains(SCORE)).count(),
            round as usize + 1
        );
        // Without a version, the read returns the latest data.
        assert_eq!(
            value(&sum(&service, user, "").await.expect(200)),
            Some(f64::from(total))
        );
    }
    pair.wait_for_standby().await;
    let before = reads_by(&service, "replica").await;
    let _ = sum(&service, user, "&min_version=1").await.expect(200);
    assert!(
        reads_by(&service, "replica").await > before,
        "a replica with the version serves the read"
    );
}

/// If stale reads are allowed, replicas serve all reads, and no response mixes two versions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_may_serve_all_reads() {
    let pair = ReplicaPair::start().await;
    let service = start_service(&pair, ReplicaReads::All);
    create_metric_type(&service).await;
    let user = Uuid::new_v4();
    post(&service, user, 1).await;
    pair.wait_for_standby().await;
    pair.execute(Node::Second, "SELECT pg_wal_replay_pause()")
        .await;
    let version = post(&service, user, 2).await;
    let stale = sum(&service, user, "").await.expect(200);
    assert_eq!(
        (value(&stale), stale.metadata().version),
        (Some(1.0), Some(version - 1))
    );
    let fresh = sum(&service, user, &format!("&min_version={version}"))
        .await
        .expect(200);
    assert_eq!(
        (value(&fresh), fresh.metadata().version),
        (Some(3.0), Some(version))
    );
    // The primary sees changed metric types first.
    let _ = service
        .post(
            "/api/metrictypes/",
            &json!({"series": "late", "schema": {"type": "number"}}),
        )
        .await
        .expect(201);
    let late = json!({"user_id": user, "data": [{"series": "late", "time": "2025-01-01T00:00:00Z", "value": 7}]});
    let late = service
        .post("/api/sessions/", &late)
        .await
        .expect(201)
        .receipt()
        .version
        .expect("a version");
    let read = sum(&service, user, &format!("&series=late&min_version={late}"))
        .await
        .expect(200);
    assert_eq!(value(&read), Some(7.0));
}

/// Without its primary the service serves reads, rejects writes and reports both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_continue_without_a_primary() {
    let mut pair = ReplicaPair::start().await;
    let service = start_service(&pair, ReplicaReads::Versioned);
    create_metric_type(&service).await;
    let user = Uuid::new_v4();
    let id = Uuid::new_v4();
    let _ = service
        .post("/api/sessions/", &session(user, id, 5))
        .await
        .expect(201);
    pair.wait_for_standby().await;
    let _ = sum(&service, user, "").await.expect(200);
    pair.crash(Node::First);
    assert_eq!(value(&sum(&service, user, "").await.expect(200)), Some(5.0));
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
            service
                .get(&path)
                .await
                .expect(200)
                .text
                .contains(&user.to_string())
                || path.contains("ndjson"),
            "{path}"
        );
    }
    // A version that only the primary can have is not invented.
    for path in ["timeseries", "points", "latest"] {
        let _ = service
            .get(&format!("/api/{path}/?user_id={user}&min_version=99"))
            .await
            .expect(503);
    }
    let rejected = service
        .post("/api/sessions/", &session(user, Uuid::new_v4(), 6))
        .await
        .expect(503);
    assert!(
        rejected.headers.contains_key("retry-after"),
        "{}",
        rejected.text
    );
    wait_until(
        "readiness reports the state of reads and writes",
        async || {
            let writes = service.get("/health/ready/?for=writes").await.status == 503;
            writes && service.get("/health/ready/").await.status == 200
        },
    )
    .await;
    pair.restart(Node::First).await;
    wait_until("writes work again", async || {
        service
            .post("/api/sessions/", &session(user, Uuid::new_v4(), 7))
            .await
            .status
            == 201
    })
    .await;
}

/// A read that recovery cancels on the standby is repeated on the primary or visibly truncated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_cancelled_by_recovery_is_repeated() {
    let pair = ReplicaPair::start().await;
    let service = start_service(&pair, ReplicaReads::All);
    create_metric_type(&service).await;
    let user = Uuid::new_v4();
    for value in 0..20 {
        post(&service, user, value).await;
    }
    pair.wait_for_standby().await;
    // Replaying an exclusive lock of the primary cancels reads of the table on the standby.
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
            assert_eq!(
                value(&sum(&service, user, "").await.expect(200)),
                Some(190.0)
            );
            let points = service
                .get(&format!("/api/points/?user_id={user}&limit=5"))
                .await
                .expect(200);
            assert_eq!(points.metadata().count, 5, "{}", points.text);
        }
    };
    tokio::join!(locking, reading);
}

/// The primary crashes, the standby is promoted, and the old primary returns as a standby.
/// No acknowledged write is lost, and the only error is 503, although the old primary is the
/// first host of the URL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_loses_nothing() {
    let mut pair = ReplicaPair::start().await;
    pair.execute(
        Node::First,
        "ALTER SYSTEM SET synchronous_standby_names = '*'",
    )
    .await;
    pair.execute(Node::First, "SELECT pg_reload_conf()").await;
    let builder = TestApp::with(Backend::Plain).database_timeout(Duration::from_secs(2));
    let service = Arc::new(
        builder
            .write_timeout(Duration::from_secs(5))
            .serve_on(&pair.url_of_both()),
    );
    create_metric_type(&service).await;
    let user = Uuid::new_v4();
    let (ended, is_ended) = tokio::sync::watch::channel(false);
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (service, is_ended) = (service.clone(), is_ended.clone());
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                while !*is_ended.borrow() {
                    let id = Uuid::new_v4();
                    let response = service.post("/api/sessions/", &session(user, id, 1)).await;
                    match response.status.as_u16() {
                        201 => acknowledged.push(id),
                        503 => tokio::time::sleep(Duration::from_millis(20)).await,
                        other => panic!("{other}: {}", response.text),
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
    wait_until("writes work again", async || {
        service
            .post("/api/sessions/", &session(user, Uuid::new_v4(), 1))
            .await
            .status
            == 201
    })
    .await;
    // This server is the first host of the URL and rejects writes.
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
        recovering.expect("a response").get::<_, bool>(0),
        "the old primary accepted no writes"
    );
}

async fn sessions(pair: &ReplicaPair, node: Node) -> BTreeSet<Uuid> {
    let rows = pair
        .connect(node)
        .await
        .query("SELECT session_id FROM session", &[])
        .await
        .expect("sessions");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn wait_until(label: &str, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < TIMEOUT, "timed out: {label}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
