//! Sessions in one body.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::Value;

use crate::bench::ground::Ground;
use crate::load::Sessions;
use crate::progress::Step;

/// Posts sessions as lines of one body; how long until the last verdict.
pub(super) async fn post(
    ground: &mut Ground<'_>,
    name: &str,
    sessions: &impl Sessions,
) -> anyhow::Result<Duration> {
    let lines: Vec<String> = (0..sessions.count())
        .map(|number| sessions.body(number))
        .collect();
    let body = lines.join("\n");
    ground.remember(sessions);
    let step = Step::start(format!("{name}: {} sessions", lines.len()));
    drop(lines);
    let url = format!("{}/api/sessions/bulk/", ground.target.url);
    let started = Instant::now();
    let answer = reqwest::Client::new()
        .post(url)
        .body(body)
        .send()
        .await?
        .text()
        .await?;
    let took = started.elapsed();
    let end: Value = serde_json::from_str(answer.lines().last().unwrap_or_default())?;
    ensure!(
        end["end"] == true && end["created"] == sessions.count(),
        "the bulk ended with {end}"
    );
    step.done(format!("{:.1} s", took.as_secs_f64()));
    Ok(took)
}
