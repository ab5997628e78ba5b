//! Attacks, each by many clients at once.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::client::{Client, Request, post_head};

/// Pause of a stalling client before it reconnects.
const STALL: Duration = Duration::from_secs(5);

/// One kind of attack.
pub(super) struct Attack {
    pub(super) name: &'static str,
    clients: usize,
    action: Action,
}

/// The action that each client repeats.
enum Action {
    /// Sends these requests in turn.
    Send(Arc<[Request]>),
    /// Sends the first bytes of a long body to a path, and stalls.
    Stall(&'static str, usize),
    /// Requests these paths in turn, and reads no response.
    Ignore(Vec<String>),
    /// Posts small sessions of new users.
    Flood,
}

/// A series whose values are expensive to validate.
pub(super) const COSTLY_SERIES: &str = "bench.costly";

/// Returns a schema that branches at every level of a value.
pub(super) fn costly_schema() -> Value {
    let branch = json!({
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"$ref": "#"}}
    });
    let mut longer = branch.clone();
    longer["minProperties"] = 1.into();
    json!({"anyOf": [branch, longer]})
}

/// Returns every attack. `user` has points that are expensive to read.
pub(super) fn all(user: Uuid) -> anyhow::Result<Vec<Attack>> {
    let sessions = "/api/sessions/";
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
        Attack::new("stalled bodies", 300, Action::Stall(sessions, 1)),
        Attack::new(
            "stalled long bodies",
            20,
            Action::Stall(sessions, 3_000_000),
        ),
        Attack::new(
            "stalled bulk uploads",
            300,
            Action::Stall("/api/sessions/bulk/", 1),
        ),
        Attack::new(
            "30 MB of invalid points",
            2,
            Action::Send(Arc::new([Request::post(sessions, invalid_points())])),
        ),
        Attack::new(
            "sessions of 300,000 points",
            8,
            Action::Send(
                (0..8)
                    .map(|_| Request::post(sessions, long_session()))
                    .collect(),
            ),
        ),
        Attack::new(
            "gzip bombs",
            4,
            Action::Send(Arc::new([
                Request::post_gzip(sessions, gzip(&newlines)?),
                Request::post_gzip("/api/sessions/bulk/", gzip(&newlines)?),
                Request::post_gzip(sessions, gzip(b"")?.repeat(1_000_000)),
            ])),
        ),
        Attack::new(
            "nested values of an unknown series",
            4,
            Action::Send(Arc::new([Request::post_gzip(
                sessions,
                gzip(points_of("none", &nested, 60).as_bytes())?,
            )])),
        ),
        Attack::new(
            "values that are expensive to validate",
            8,
            Action::Send(Arc::new([Request::post(
                sessions,
                points_of(COSTLY_SERIES, &deep, 50),
            )])),
        ),
        Attack::new(
            "unread responses",
            64,
            Action::Ignore(vec![points.clone(), page, hours.clone()]),
        ),
        Attack::new(
            "large queries",
            8,
            Action::Send(Arc::new([Request::get(&hours), Request::get(&points)])),
        ),
        Attack::new("a flood of small sessions", 256, Action::Flood),
    ])
}

impl Attack {
    const fn new(name: &'static str, clients: usize, action: Action) -> Self {
        Self {
            name,
            clients,
            action,
        }
    }

    /// Attacks from several addresses.
    pub(super) async fn run(
        &self,
        address: std::net::SocketAddr,
        duration: Duration,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + duration;
        let mut clients = JoinSet::new();
        for number in 0..self.clients {
            // Addresses 127.0.0.2 to 127.0.0.9.
            let client = Client::new(address, 2 + u8::try_from(number % 8)?);
            match &self.action {
                Action::Send(requests) => {
                    clients.spawn(send(client, requests.clone(), number, until));
                }
                Action::Stall(path, bytes) => {
                    clients.spawn(stall(client, path, *bytes, until));
                }
                Action::Ignore(paths) => {
                    let path = paths[number % paths.len()].clone();
                    clients.spawn(ignore(client, path, until));
                }
                Action::Flood => {
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

/// Runs an action until the time is over, and cancels it then.
async fn run_until(until: Instant, action: impl Future<Output = ()>) {
    let _ = tokio::time::timeout_at(until.into(), action).await;
}

async fn send(client: Client, requests: Arc<[Request]>, mut number: usize, until: Instant) {
    run_until(until, async {
        loop {
            // The response to an attacker does not matter.
            let _ = client.send(&requests[number % requests.len()]).await;
            number += 1;
        }
    })
    .await;
}

async fn stall(client: Client, path: &'static str, bytes: usize, until: Instant) {
    run_until(until, async {
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
    run_until(until, async {
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
    run_until(until, async {
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

/// Returns a session with one point of `value` per second.
fn points_of(series: &str, value: &str, count: usize) -> String {
    let point = |n: usize| {
        let (minute, second) = (n / 60, n % 60);
        format!(
            r#"{{"series":"{series}","time":"2025-01-01T00:{minute:02}:{second:02}Z",
                "value":{value}}}"#
        )
    };
    let points: Vec<String> = (0..count).map(point).collect();
    format!(
        r#"{{"user_id":"{}","data":[{}]}}"#,
        Uuid::new_v4(),
        points.join(",")
    )
}

/// Returns a session of 30 MB whose values have the wrong type.
fn invalid_points() -> String {
    let point = r#"{"series":"session.gut_health_score","time":"2025-01-01T00:00:00Z",
        "value":{"value":"x"}}"#;
    let points = vec![point; (30 << 20) / (point.len() + 1)];
    format!(
        r#"{{"user_id":"{}","data":[{}]}}"#,
        Uuid::new_v4(),
        points.join(",")
    )
}

/// Returns a session of three and a half days at 1 Hz, point by point.
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
