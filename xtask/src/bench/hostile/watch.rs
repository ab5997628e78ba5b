//! A well-behaved user and a probe during an attack.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::client::{Client, Request};

/// The interval of the user's requests, and of the probe's.
const EVERY: Duration = Duration::from_millis(25);
const POINTS: usize = 10;

/// Measured latencies.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) user: Latencies,
    pub(super) probe: Latencies,
}

/// How long responses took, and how they turned out.
#[derive(Default)]
pub(super) struct Latencies {
    pub(super) milliseconds: Vec<f64>,
    /// Responses that said to try again later.
    pub(super) rejected: usize,
    /// Responses that a well-behaved client must not see.
    pub(super) wrong: Vec<u16>,
}

impl Latencies {
    fn add(&mut self, began: Instant, status: u16) {
        self.milliseconds.push(1e3 * began.elapsed().as_secs_f64());
        match status {
            200..=299 => {}
            503 => self.rejected += 1,
            other => self.wrong.push(other),
        }
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
        reason = "a place"
    )]
    pub(super) fn percentile(&self, part: f64) -> Option<f64> {
        let mut sorted = self.milliseconds.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
            .get((sorted.len().saturating_sub(1) as f64 * part).round() as usize)
            .copied()
    }
}

/// Posts and queries as a well-behaved user, and probes, for that long.
pub(super) async fn watch(user: Client, probe: Client, long: Duration) -> anyhow::Result<Seen> {
    let until = Instant::now() + long;
    let (user, probe) = tokio::try_join!(behave(user, until), repeat(probe, until))?;
    Ok(Seen { user, probe })
}

/// Posts a session, then asks for the user's hours, in turn.
async fn behave(client: Client, until: Instant) -> anyhow::Result<Latencies> {
    let user = Uuid::new_v4();
    let query = Request::get(&format!(
        "/api/timeseries/?user_id={user}&start_time=2025-01-01&end_time=2025-01-02"
    ));
    let mut seen = Latencies::default();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < until {
        for request in [&Request::post("/api/sessions/", session(user)), &query] {
            ticks.tick().await;
            let began = Instant::now();
            seen.add(began, client.send(request).await?);
        }
    }
    Ok(seen)
}

async fn repeat(client: Client, until: Instant) -> anyhow::Result<Latencies> {
    let request = Request::get("/health/live");
    let mut seen = Latencies::default();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < until {
        ticks.tick().await;
        let began = Instant::now();
        seen.add(began, client.send(&request).await?);
    }
    Ok(seen)
}

fn session(user: Uuid) -> String {
    let point = |n: usize| {
        format!(
            r#"{{"series":"session.gut_health_score","time":"2025-01-01T00:{n:02}:00Z","value":{{"value":{n}}}}}"#
        )
    };
    let points: Vec<String> = (0..POINTS).map(point).collect();
    format!(
        r#"{{"user_id":"{user}","session_id":"{}","data":[{}]}}"#,
        Uuid::new_v4(),
        points.join(",")
    )
}
