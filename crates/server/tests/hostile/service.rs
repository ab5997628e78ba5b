//! The service as a separate process, and a well-behaved user.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use time_series_testkit::{Backend, TestDatabase};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::client::{Reply, get, post, request};

/// Maximum memory of the service at any time, in kB. Debug builds need more than release builds.
const MAX_MEMORY_KB: u64 = 700_000;
/// Last byte of the loopback address of the well-behaved user.
pub(crate) const WELL_BEHAVED: u8 = 200;

/// A running service; dropping it ends the process.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) child: Child,
    _database: TestDatabase,
}

impl Service {
    /// Starts the service with short timeouts and creates two metric types.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let database = TestDatabase::new(Backend::Plain).await;
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let child = Command::new(env!("CARGO_BIN_EXE_time-series-server"))
            .env_clear()
            .env("DATABASE_URL", &database.url)
            .env("BIND_ADDR", address.to_string())
            .env("RUST_LOG", "warn")
            .env("TRANSFER_GRACE_MS", "1500")
            .env("MIN_TRANSFER_RATE", "20000")
            .env("MAX_BYTES_IN_FLIGHT", (64 << 20).to_string())
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the service starts");
        let service = Self {
            address,
            child,
            _database: database,
        };
        service.wait_until_ready().await;
        let number = json!({"type": "number"});
        let value =
            json!({"type": "object", "properties": {"value": number}, "required": ["value"]});
        service.metric_type("score", &value).await;
        service.metric_type("any", &json!({})).await;
        service
    }

    async fn wait_until_ready(&self) {
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(self.address).await.is_ok()
                && get(self, WELL_BEHAVED, "/health/ready").await.status == 200
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the service does not become ready");
    }

    pub(crate) async fn metric_type(&self, series: &str, schema: &Value) {
        let body = json!({"series": series, "schema": schema}).to_string();
        let reply = post(self, WELL_BEHAVED, "/api/metrictypes/", body.as_bytes()).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
    }

    /// Peak memory of the process, in kB.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("the process runs");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .expect("a peak");
        line.split_whitespace()
            .nth(1)
            .and_then(|kb| kb.parse().ok())
            .expect("a number")
    }

    /// Checks that the service works and that its memory stayed within the bound.
    pub(crate) async fn check(&self) {
        assert_eq!(get(self, WELL_BEHAVED, "/health/live").await.status, 200);
        let user = Uuid::new_v4();
        let reply = post(
            self,
            WELL_BEHAVED,
            "/api/sessions/",
            session(user, Uuid::new_v4()).as_bytes(),
        )
        .await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let reply = get(self, WELL_BEHAVED, &query(user)).await;
        assert!(
            reply.status == 200 && reply.text().contains("\"count\":1"),
            "{}",
            reply.text()
        );
        assert!(
            self.peak() < MAX_MEMORY_KB,
            "the service used {} kB",
            self.peak()
        );
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok(); // it may have ended
        self.child.wait().ok();
    }
}

fn session(user: Uuid, id: Uuid) -> String {
    json!({
        "user_id": user, "session_id": id, "start_ts": "2025-01-01T00:00:00Z",
        "data": [{"series": "score", "time": "2025-01-01T00:00:01Z", "value": {"value": 1}}]
    })
    .to_string()
}

fn query(user: Uuid) -> String {
    format!("/api/timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-01-08")
}

/// A user who posts and queries until stopped.
pub(crate) struct WellBehavedUser {
    is_over: Arc<AtomicBool>,
    task: JoinHandle<usize>,
}

impl WellBehavedUser {
    pub(crate) fn start(service: &Service) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (address, over) = (service.address, is_over.clone());
        let task = tokio::spawn(async move {
            let (user, mut served) = (Uuid::new_v4(), 0);
            while !over.load(Ordering::Relaxed) {
                let body = session(user, Uuid::new_v4());
                let posted = request(
                    address,
                    peer(WELL_BEHAVED),
                    "POST",
                    "/api/sessions/",
                    &[],
                    body.as_bytes(),
                )
                .await;
                let queried =
                    request(address, peer(WELL_BEHAVED), "GET", &query(user), &[], b"").await;
                for Reply { status, .. } in [&posted, &queried] {
                    assert!(
                        matches!(status, 200 | 201 | 503),
                        "a well-behaved user received {status}"
                    );
                    served += usize::from(*status != 503);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            served
        });
        Self { is_over, task }
    }

    /// Stops the user; at least one request must have been served.
    pub(crate) async fn stop(self) {
        self.is_over.store(true, Ordering::Relaxed);
        let served = self.task.await.expect("only expected statuses");
        assert!(served > 0, "a well-behaved user was never served");
    }
}

/// The loopback address of a client.
pub(crate) const fn peer(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, number))
}
