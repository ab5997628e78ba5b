//! The queries of the original stress test, asked over a socket.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::Client;
use uuid::Uuid;

use crate::progress::Step;
use crate::target::Target;

/// One query, many times.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) rows: u64,
    pub p50: Duration,
    pub p99: Duration,
}

/// Name and parameters. The original's queries 1 to 4 ran inside Django, over everything; these are asked
/// of the user who has everything.
const QUERIES: [(&str, &str); 6] = [
    (
        "Query 1: day, all series, avg",
        "interval=day&start_time=2020-01-01",
    ),
    (
        "Query 2: week, all series, avg",
        "interval=week&start_time=2020-01-01",
    ),
    (
        "Query 3: month, all series, avg",
        "interval=month&start_time=2020-01-01",
    ),
    (
        "Query 4: month, session.urine.*, avg",
        "interval=month&start_time=2020-02-01&series=session.urine.*",
    ),
    (
        "API Test 1: month, one series, avg",
        "interval=month&start_time=2020-01-01&series=session.gut_health_score",
    ),
    (
        "API Test 2: month, session.*, avg",
        "interval=month&start_time=2020-01-01&series=session.*",
    ),
];

pub(crate) async fn measure(
    target: &Target,
    user: Uuid,
    repeat: usize,
) -> anyhow::Result<Vec<Measured>> {
    let step = Step::counted("asking queries", (QUERIES.len() * repeat) as u64);
    let client = Client::new();
    let mut measured = Vec::new();
    for (name, parameters) in QUERIES {
        let url = format!(
            "{}/api/timeseries/?user_id={user}&agg_func=avg&{parameters}",
            target.url
        );
        let mut times = Vec::with_capacity(repeat);
        let mut rows = 0;
        for _ in 0..repeat {
            let started = Instant::now();
            let answer = client.get(&url).send().await?;
            let status = answer.status();
            let body = answer.bytes().await?;
            times.push(started.elapsed());
            if !status.is_success() {
                bail!(
                    "{name} was answered {status}: {}",
                    String::from_utf8_lossy(&body)
                );
            }
            if rows == 0 {
                let answer: serde_json::Value = serde_json::from_slice(&body)?;
                rows = answer["metadata"]["count"]
                    .as_u64()
                    .context("an answer without a count")?;
            }
            step.tick();
        }
        times.sort_unstable();
        measured.push(Measured {
            name,
            rows,
            p50: percentile(&times, 50),
            p99: percentile(&times, 99),
        });
    }
    step.done("");
    Ok(measured)
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}
