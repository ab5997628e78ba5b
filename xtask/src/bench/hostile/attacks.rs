//! The attacks.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::client::{Client, Request, post_head};

/// How long a client stalls before it comes again.
const STALL: Duration = Duration::from_secs(5);

/// One kind of attack, from many clients at once.
pub(super) struct Attack {
    pub(super) name: &'static str,
    clients: usize,
    act: Act,
}

/// Action that each client repeats.
enum Act {
    /// Sends these, in turn.
    Send(Arc<[Request]>),
    /// Sends so many bytes of a long body to a path, and stalls.
    Stall(&'static str, usize),
    /// Asks for these paths, in turn, and reads nothing.
    Ignore(Vec<String>),
    /// Posts a small session of a user of its own.
    Flood,
}

/// The series that attackers may use: each value costs much to check.
pub(super) const COSTLY_SERIES: &str = "bench.costly";

/// A schema that branches at every level of a value.
pub(super) fn costly_schema() -> serde_json::Value {
    let branch = serde_json::json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}});
    let mut longer = branch.clone();
    longer["minProperties"] = 1.into();
    serde_json::json!({"anyOf": [branch, longer]})
}

/// Every attack; `user` has points that cost something to read.
pub(super) fn all(user: Uuid) -> anyhow::Result<Vec<Attack>> {
    let sessions = "/api/sessions/";
    let attack = |name, clients, act| Attack { name, clients, act };
    let hours = format!(
        "/api/timeseries/?user_id={user}&interval=1s&start_time=2025-01-01&end_time=2025-01-05"
    );
    let points = format!("/api/points/?user_id={user}&format=ndjson");
    let page = format!("/api/points/?user_id={user}&limit=100000");
    let newlines = vec![b'\n'; 100 << 20];
    let deep = format!("{}\"x\"{}", "{\"a\":".repeat(60), "}".repeat(60));
    let nested = format!(
        "{}{}1{}",
        "[".repeat(60),
        "1,".repeat(5_000),
        "]".repeat(60)
    );
    Ok(vec![
        attack("bodies that stall", 300, Act::Stall(sessions, 1)),
        attack(
            "long bodies that stall",
            20,
            Act::Stall(sessions, 3_000_000),
        ),
        attack(
            "bulk uploads that stall",
            300,
            Act::Stall("/api/sessions/bulk/", 1),
        ),
        attack(
            "30 MB of wrong points",
            2,
            Act::Send(Arc::new([Request::post(sessions, wrong_points())])),
        ),
        attack(
            "sessions of 300,000 points",
            8,
            Act::Send(
                (0..8)
                    .map(|_| Request::post(sessions, long_session()))
                    .collect(),
            ),
        ),
        attack(
            "gzip bombs",
            4,
            Act::Send(Arc::new([
                Request::post_gzip(sessions, gzip(&newlines)?),
                Request::post_gzip("/api/sessions/bulk/", gzip(&newlines)?),
                Request::post_gzip(sessions, gzip(b"")?.repeat(1_000_000)),
            ])),
        ),
        attack(
            "nested values of an unknown series",
            4,
            Act::Send(Arc::new([Request::post_gzip(
                sessions,
                gzip(points_of("none", &nested, 60).as_bytes())?,
            )])),
        ),
        attack(
            "values that cost much to check",
            8,
            Act::Send(Arc::new([Request::post(
                sessions,
                points_of(COSTLY_SERIES, &deep, 50),
            )])),
        ),
        attack(
            "answers that nobody reads",
            64,
            Act::Ignore(vec![points.clone(), page, hours.clone()]),
        ),
        attack(
            "large queries",
            8,
            Act::Send(Arc::new([Request::get(&hours), Request::get(&points)])),
        ),
        attack("a flood of small sessions", 256, Act::Flood),
    ])
}

impl Attack {
    /// Attacks for that long, from several addresses.
    pub(super) async fn run(
        &self,
        address: std::net::SocketAddr,
        long: Duration,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + long;
        let mut clients = JoinSet::new();
        for number in 0..self.clients {
            // From 127.0.0.2 to 127.0.0.9.
            let client = Client::new(address, 2 + u8::try_from(number % 8)?);
            match &self.act {
                Act::Send(requests) => {
                    clients.spawn(send(client, requests.clone(), number, until));
                }
                Act::Stall(path, bytes) => {
                    clients.spawn(stall(client, path, *bytes, until));
                }
                Act::Ignore(paths) => {
                    let path = paths[number % paths.len()].clone();
                    clients.spawn(ignore(client, path, until));
                }
                Act::Flood => {
                    clients.spawn(flood(client, until));
                }
            }
        }
        while let Some(client) = clients.join_next().await {
            client?;
        }
        Ok(())
    }
}

/// Does something until the time is over; what is under way then is cut off.
async fn until_over(until: Instant, act: impl Future<Output = ()>) {
    let _ = tokio::time::timeout_at(until.into(), act).await;
}

async fn send(client: Client, requests: Arc<[Request]>, mut number: usize, until: Instant) {
    until_over(until, async {
        loop {
            // The response to an attacker does not matter.
            let _ = client.send(&requests[number % requests.len()]).await;
            number += 1;
        }
    })
    .await;
}

async fn stall(client: Client, path: &'static str, bytes: usize, until: Instant) {
    until_over(until, async {
        loop {
            if let Ok(mut stream) = client.connect().await {
                let _ = stream.write_all(&post_head(path, "", 10_000_000)).await;
                let _ = stream.write_all(&vec![b' '; bytes]).await;
                tokio::time::sleep(STALL).await;
            }
        }
    })
    .await;
}

async fn ignore(client: Client, path: String, until: Instant) {
    until_over(until, async {
        loop {
            if let Ok(mut stream) = client.connect().await {
                let _ = stream
                    .write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes())
                    .await;
                tokio::time::sleep(STALL).await;
            }
        }
    })
    .await;
}

async fn flood(client: Client, until: Instant) {
    until_over(until, async {
        loop {
            let body = points_of("session.gut_health_score", r#"{"value":1}"#, 10);
            let _ = client.send(&Request::post("/api/sessions/", body)).await;
        }
    })
    .await;
}

fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// A session of points of that value, a second apart.
fn points_of(series: &str, value: &str, count: usize) -> String {
    let point = |n: usize| {
        let (minute, second) = (n / 60, n % 60);
        format!(
            r#"{{"series":"{series}","time":"2025-01-01T00:{minute:02}:{second:02}Z","value":{value}}}"#
        )
    };
    let points: Vec<String> = (0..count).map(point).collect();
    format!(
        r#"{{"user_id":"{}","data":[{}]}}"#,
        Uuid::new_v4(),
        points.join(",")
    )
}

fn wrong_points() -> String {
    let point = r#"{"series":"session.gut_health_score","time":"2025-01-01T00:00:00Z","value":{"value":"x"}}"#;
    let points = vec![point; (30 << 20) / (point.len() + 1)];
    format!(
        r#"{{"user_id":"{}","data":[{}]}}"#,
        Uuid::new_v4(),
        points.join(",")
    )
}

/// Three days and a half at 1 Hz, point by point.
fn long_session() -> String {
    let point = |n: usize| {
        let (day, second) = (1 + n / 86_400, n % 86_400);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let time = format!("2025-01-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        format!(
            r#"{{"series":"session.gut_health_score","time":"{time}","value":{{"value":{}}}}}"#,
            n % 100
        )
    };
    let points: Vec<String> = (0..300_000).map(point).collect();
    format!(
        r#"{{"user_id":"{}","session_id":"{}","data":[{}]}}"#,
        Uuid::new_v4(),
        Uuid::new_v4(),
        points.join(",")
    )
}
