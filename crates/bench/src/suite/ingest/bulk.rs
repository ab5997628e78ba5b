//! Many sessions in one body.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::Value;
use time_series_devkit::progress::Step;

use crate::load::Sessions;
use crate::suite::environment::Environment;

/// Posts sessions as lines of one body, and returns the time until the end of the response.
pub(super) async fn post(
    environment: &mut Environment<'_>,
    name: &str,
    sessions: &impl Sessions,
) -> anyhow::Result<Duration> {
    let lines: Vec<String> = (0..sessions.count())
        .map(|number| sessions.body(number))
        .collect();
    let body = lines.join("\n");
    environment.register(sessions);
    let step = Step::start(format!("{name}: {} sessions", lines.len()));
    drop(lines);
    let url = format!("{}/api/sessions/bulk/", environment.target.url);
    let started = Instant::now();
    let response = reqwest::Client::new()
        .post(url)
        .body(body)
        .send()
        .await?
        .text()
        .await?;
    let took = started.elapsed();
    let end: Value = serde_json::from_str(response.lines().last().unwrap_or_default())?;
    ensure!(
        end["end"] == true && end["created"] == sessions.count(),
        "the bulk upload ended with {end}"
    );
    step.done(format!("{:.1} s", took.as_secs_f64()));
    Ok(took)
}
