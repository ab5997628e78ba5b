//! Streams all points of a user and watches the memory of the service.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;
use time_series_devkit::progress::Step;

use super::PART;
use super::datasets::Data;
use super::runner::{Runner, failure_of};
use crate::suite::environment::Environment;
use crate::suite::figure::{Failure, Figure, Goal, Unit};
use crate::suite::memory;
use crate::suite::statistics::Statistics;

pub(super) const NUMBER: u8 = 6;

/// Maximum number of streams.
const MAX_REPEATS: usize = 3;
const POINTS_PER_SECOND: f64 = 500_000.0;
/// Maximum growth of the memory in MiB.
const MAX_GROWTH: f64 = 64.0;
/// Interval between two reads of the memory.
const MEMORY_INTERVAL: Duration = Duration::from_millis(10);
/// Maximum length of the last line.
const TAIL_BYTES: usize = 256;

/// A stream that was read to its end.
struct Streamed {
    points: u64,
    took: Duration,
    /// The peak of the resident memory in MiB.
    peak: Option<f64>,
}

/// Measures the speed of the stream and the growth of the memory.
pub(super) async fn measure(
    environment: &Environment<'_>,
    runner: &Runner,
    data: &Data,
) -> anyhow::Result<[Figure; 2]> {
    let step = Step::start(format!("{NUMBER} streaming {} points", data.points));
    let url = format!(
        "{}/api/points/?user_id={}&format=ndjson",
        environment.target.url, data.users[0]
    );
    let (speed, growth) = match repeat(environment.pid(), runner, &url, data).await? {
        Ok(measured) => measured,
        Err(failure) => (Err(failure.clone()), Err(Failure::new(failure.summary, ""))),
    };
    step.done("");
    let goal = Goal::AtLeast(POINTS_PER_SECOND);
    let mut speed_figure = Figure::new(
        PART,
        NUMBER,
        "10 M points as NDJSON",
        Unit::PointsPerSecond,
        goal,
    );
    speed_figure.rows = Some(data.points as u64);
    speed_figure.measured = speed;
    let goal = Goal::AtMost(MAX_GROWTH);
    let mut memory_figure = Figure::new(
        PART,
        NUMBER,
        "… growth of the service's memory",
        Unit::Mebibytes,
        goal,
    );
    memory_figure.measured = growth;
    Ok([speed_figure, memory_figure])
}

/// Points per second, and MiB above the memory before the first stream.
type Measured = (Result<Statistics, Failure>, Result<Statistics, Failure>);

async fn repeat(
    pid: Option<u32>,
    runner: &Runner,
    url: &str,
    data: &Data,
) -> anyhow::Result<Result<Measured, Failure>> {
    if let Err(failure) = stream(runner, &format!("{url}&limit=1000"), None).await? {
        return Ok(Err(failure)); // the warm-up
    }
    let before = pid.and_then(memory::resident);
    let (mut speeds, mut growths) = (Vec::new(), Vec::new());
    for _ in 0..runner.repeat.min(MAX_REPEATS) {
        let streamed = match stream(runner, url, pid).await? {
            Ok(streamed) => streamed,
            Err(failure) => return Ok(Err(failure)),
        };
        if streamed.points != data.points as u64 {
            let detail = format!(
                "the stream has {} of {} points",
                streamed.points, data.points
            );
            return Ok(Err(Failure::new("missing points", detail)));
        }
        speeds.push(streamed.points as f64 / streamed.took.as_secs_f64());
        growths.extend(
            streamed
                .peak
                .zip(before)
                .map(|(peak, before)| (peak - before).max(0.0)),
        );
    }
    let unknown = || {
        Failure::new(
            "unknown",
            "the process of the service is unknown (set --pid)",
        )
    };
    let nothing = || Failure::new("nothing measured", "");
    // The maximum: memory that is not returned does not grow a second time.
    let worst = growths.into_iter().reduce(f64::max).into_iter().collect();
    Ok(Ok((
        Statistics::of(speeds).ok_or_else(nothing),
        Statistics::of(worst).ok_or_else(unknown),
    )))
}

/// Reads a stream. Only its last line is parsed.
async fn stream(
    runner: &Runner,
    url: &str,
    pid: Option<u32>,
) -> anyhow::Result<Result<Streamed, Failure>> {
    let resettable = pid.filter(|pid| memory::reset_peak(*pid));
    let started = Instant::now();
    let mut response = runner.client.get(url).send().await?;
    if response.status() != StatusCode::OK {
        let status = response.status();
        return Ok(Err(failure_of(status, &response.bytes().await?)));
    }
    let mut lines = 0;
    let mut tail = Vec::new();
    let mut peak = None;
    let mut last_read = started;
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(e) => {
                return Ok(Err(Failure::new(
                    "truncated",
                    format!("after {lines} lines: {e}"),
                )));
            }
        };
        lines += line_ends(&chunk);
        tail.extend_from_slice(&chunk[chunk.len().saturating_sub(TAIL_BYTES)..]);
        tail.drain(..tail.len().saturating_sub(TAIL_BYTES));
        if last_read.elapsed() > MEMORY_INTERVAL {
            last_read = Instant::now();
            peak = max(peak, pid.and_then(memory::resident));
        }
    }
    let took = started.elapsed();
    let peak = max(peak, resettable.and_then(memory::peak));
    let Some(points) = end_record(&tail) else {
        return Ok(Err(Failure::new(
            "no end record",
            format!("the stream ended after {lines} lines without an end record"),
        )));
    };
    if points + 1 != lines {
        let detail = format!("the end record counts {points} points in {lines} lines");
        return Ok(Err(Failure::new("wrong count", detail)));
    }
    Ok(Ok(Streamed { points, took, peak }))
}

fn max(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.into_iter().chain(b).reduce(f64::max)
}

#[expect(clippy::naive_bytecount, reason = "fast enough without a dependency")]
fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Returns the count of the end record `{"end":true,"count":n}`, if that is the last line.
fn end_record(tail: &[u8]) -> Option<u64> {
    let last = tail
        .strip_suffix(b"\n")?
        .rsplit(|byte| *byte == b'\n')
        .next()?;
    let record: Value = serde_json::from_slice(last).ok()?;
    if record["end"] == true {
        record["count"].as_u64()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{end_record, line_ends};

    #[test]
    fn a_complete_stream_ends_with_an_end_record() {
        let whole = b"{\"value\":1}\n{\"end\":true,\"count\":1,\"next_cursor\":null}\n";
        assert_eq!((end_record(whole), line_ends(whole)), (Some(1), 2));
        assert_eq!(end_record(b"{\"value\":1}\n"), None);
        assert_eq!(end_record(b"{\"value\":1}\n{\"end\":true,\"cou"), None);
        assert_eq!(end_record(b""), None);
    }
}
