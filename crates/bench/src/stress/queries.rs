//! The queries of the original stress test, over HTTP.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::Client;
use time_series_devkit::progress::Step;
use uuid::Uuid;

use crate::target::Target;

/// The latencies of one query.
pub(super) struct Measured {
    pub(super) name: &'static str,
    pub(super) rows: u64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

/// Names and parameters of the queries.
///
/// The original ran queries 1 to 4 inside Django over all points; here one user owns all points.
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

pub(super) async fn measure(
    target: &Target,
    user: Uuid,
    repeat: usize,
) -> anyhow::Result<Vec<Measured>> {
    let step = Step::counted("running queries", (QUERIES.len() * repeat) as u64);
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
            let response = client.get(&url).send().await?;
            let status = response.status();
            let body = response.bytes().await?;
            times.push(started.elapsed());
            if !status.is_success() {
                bail!(
                    "{name} received {status}: {}",
                    String::from_utf8_lossy(&body)
                );
            }
            if rows == 0 {
                let response: serde_json::Value = serde_json::from_slice(&body)?;
                rows = response["metadata"]["count"]
                    .as_u64()
                    .context("the response has no metadata.count")?;
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
