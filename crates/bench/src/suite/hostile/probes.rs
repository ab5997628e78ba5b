//! The requests of a well-behaved user and of a health probe during an attack.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::client::{Client, Request};

/// Interval of the user's requests and of the probe.
const INTERVAL: Duration = Duration::from_millis(25);
/// Points per session of the user.
const POINTS: usize = 10;

/// The latencies of user and probe.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) user: Latencies,
    pub(super) probe: Latencies,
}

/// Latencies of responses, and the number of failed ones.
#[derive(Default)]
pub(super) struct Latencies {
    milliseconds: Vec<f64>,
    /// Number of responses with 503.
    rejected: usize,
    /// Statuses that a well-behaved client must not receive.
    pub(super) wrong: Vec<u16>,
}

impl Latencies {
    fn add(&mut self, started: Instant, status: u16) {
        self.milliseconds
            .push(1e3 * started.elapsed().as_secs_f64());
        match status {
            200..=299 => {}
            503 => self.rejected += 1,
            other => self.wrong.push(other),
        }
    }

    /// Returns the percentage of responses with 503.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(super) fn rejected_percent(&self) -> f64 {
        100.0 * self.rejected as f64 / self.milliseconds.len().max(1) as f64
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.milliseconds.extend(other.milliseconds);
        self.rejected += other.rejected;
        self.wrong.extend(other.wrong);
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    /// Returns a percentile in milliseconds; `part` is between 0 and 1.
    pub(super) fn percentile(&self, part: f64) -> Option<f64> {
        let mut sorted = self.milliseconds.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
            .get((sorted.len().saturating_sub(1) as f64 * part).round() as usize)
            .copied()
    }
}

/// Sends the requests of user and probe, and measures their latencies.
pub(super) async fn measure(
    user: Client,
    probe: Client,
    duration: Duration,
) -> anyhow::Result<Measured> {
    let until = Instant::now() + duration;
    let (user, probe) = tokio::try_join!(act_as_user(user, until), repeat_probe(probe, until))?;
    Ok(Measured { user, probe })
}

/// Alternately posts a session and queries the user's points.
async fn act_as_user(client: Client, until: Instant) -> anyhow::Result<Latencies> {
    let user = Uuid::new_v4();
    let query = Request::get(&format!(
        "/api/timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-01-02"
    ));
    let mut latencies = Latencies::default();
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < until {
        for request in [&Request::post("/api/sessions/", session(user)), &query] {
            ticks.tick().await;
            let started = Instant::now();
            latencies.add(started, client.send(request).await?);
        }
    }
    Ok(latencies)
}

async fn repeat_probe(client: Client, until: Instant) -> anyhow::Result<Latencies> {
    let request = Request::get("/health/live");
    let mut latencies = Latencies::default();
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < until {
        ticks.tick().await;
        let started = Instant::now();
        latencies.add(started, client.send(&request).await?);
    }
    Ok(latencies)
}

fn session(user: Uuid) -> String {
    let point = |n: usize| {
        format!(
            r#"{{"series": "session.gut_health_score",
                "time": "2025-01-01T00:{n:02}:00Z", "value": {{"value": {n}}}}}"#
        )
    };
    let points: Vec<String> = (0..POINTS).map(point).collect();
    format!(
        r#"{{"user_id":"{user}","session_id":"{}","data":[{}]}}"#,
        Uuid::new_v4(),
        points.join(",")
    )
}
