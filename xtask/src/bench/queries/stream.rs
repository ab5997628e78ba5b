//! Streams all points of a user, and watches the memory of the service meanwhile.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;

use super::PART;
use super::ask::{Ask, refusal};
use super::data::Data;
use crate::bench::figure::{Figure, Goal, Obstacle, Unit};
use crate::bench::ground::Ground;
use crate::bench::memory;
use crate::bench::spread::Spread;
use crate::progress::Step;

pub(super) const NUMBER: u8 = 6;

/// A stream takes long.
const MOST_REPEATS: usize = 3;
const POINTS_PER_SECOND: f64 = 500_000.0;
const MOST_GROWTH: f64 = 64.0;
/// The memory is looked at so often.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The last line is not longer.
const TAIL: usize = 256;

/// A stream, read to its end.
struct Streamed {
    points: u64,
    took: Duration,
    /// The most memory that was seen, in MiB.
    peak: Option<f64>,
}

/// Two figures: how quick it is, and how much memory it takes.
pub(super) async fn measure(
    ground: &Ground<'_>,
    ask: &Ask,
    data: &Data,
) -> anyhow::Result<[Figure; 2]> {
    let step = Step::start(format!("{NUMBER} streaming {} points", data.points));
    let url = format!(
        "{}/api/points/?user_id={}&format=ndjson",
        ground.target.url, data.users[0]
    );
    let (speed, growth) = match repeat(ground.pid(), ask, &url, data).await? {
        Ok(measured) => measured,
        Err(obstacle) => (
            Err(obstacle.clone()),
            Err(Obstacle::new(obstacle.short, "")),
        ),
    };
    step.done("");
    let goal = Goal::AtLeast(POINTS_PER_SECOND);
    let mut quick = Figure::new(
        PART,
        NUMBER,
        "10 M points as NDJSON",
        Unit::PointsPerSecond,
        goal,
    );
    quick.rows = Some(data.points as u64);
    quick.measured = speed;
    let goal = Goal::BoundedSeq(MOST_GROWTH);
    let mut small = Figure::new(
        PART,
        NUMBER,
        "… the service's memory meanwhile",
        Unit::Mebibytes,
        goal,
    );
    small.measured = growth;
    Ok([quick, small])
}

/// Points a second, and MiB above what there was before the first stream.
type Measured = (Result<Spread, Obstacle>, Result<Spread, Obstacle>);

async fn repeat(
    pid: Option<u32>,
    ask: &Ask,
    url: &str,
    data: &Data,
) -> anyhow::Result<Result<Measured, Obstacle>> {
    if let Err(obstacle) = stream(ask, &format!("{url}&limit=1000"), None).await? {
        return Ok(Err(obstacle)); // this was the warm-up
    }
    let before = pid.and_then(memory::resident);
    let (mut speeds, mut growths) = (Vec::new(), Vec::new());
    for _ in 0..ask.repeat.min(MOST_REPEATS) {
        let streamed = match stream(ask, url, pid).await? {
            Ok(streamed) => streamed,
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        if streamed.points != data.points as u64 {
            let long = format!(
                "{} points were streamed of {}",
                streamed.points, data.points
            );
            return Ok(Err(Obstacle::new("points are missing", long)));
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
        Obstacle::new(
            "not known",
            "the service's process is not known here (--pid tells)",
        )
    };
    let nothing = || Obstacle::new("nothing measured", "");
    // The worst of them: memory that is not given back does not grow a second time.
    let worst = growths.into_iter().reduce(f64::max).into_iter().collect();
    Ok(Ok((
        Spread::of(speeds).ok_or_else(nothing),
        Spread::of(worst).ok_or_else(unknown),
    )))
}

/// Reads a stream without looking into its lines, but for the last.
async fn stream(
    ask: &Ask,
    url: &str,
    pid: Option<u32>,
) -> anyhow::Result<Result<Streamed, Obstacle>> {
    let fresh_peak = pid.filter(|pid| memory::forget_peak(*pid));
    let started = Instant::now();
    let mut answer = ask.client.get(url).send().await?;
    if answer.status() != StatusCode::OK {
        let status = answer.status();
        return Ok(Err(refusal(status, &answer.bytes().await?)));
    }
    let (mut lines, mut tail, mut peak) = (0, Vec::new(), None);
    let mut looked = started;
    loop {
        let chunk = match answer.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(e) => {
                return Ok(Err(Obstacle::new(
                    "broken off",
                    format!("after {lines} lines: {e}"),
                )));
            }
        };
        lines += line_ends(&chunk);
        tail.extend_from_slice(&chunk[chunk.len().saturating_sub(TAIL)..]);
        tail.drain(..tail.len().saturating_sub(TAIL));
        if looked.elapsed() > LOOK_EVERY {
            looked = Instant::now();
            peak = larger(peak, pid.and_then(memory::resident));
        }
    }
    let took = started.elapsed();
    let peak = larger(peak, fresh_peak.and_then(memory::peak));
    let Some(points) = end_record(&tail) else {
        return Ok(Err(Obstacle::new(
            "no end record",
            format!("the stream ended after {lines} lines without one"),
        )));
    };
    if points + 1 != lines {
        let long = format!("the end record counts {points} points in {lines} lines");
        return Ok(Err(Obstacle::new("a wrong count", long)));
    }
    Ok(Ok(Streamed { points, took, peak }))
}

fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.into_iter().chain(b).reduce(f64::max)
}

#[expect(clippy::naive_bytecount, reason = "quick enough, and no dependency")]
fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// How many points `{"end":true,"count":n}` tells of, if that is the last line.
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
    fn a_stream_ends_with_its_record() {
        let whole = b"{\"value\":1}\n{\"end\":true,\"count\":1,\"next_cursor\":null}\n";
        assert_eq!((end_record(whole), line_ends(whole)), (Some(1), 2));
        assert_eq!(end_record(b"{\"value\":1}\n"), None);
        assert_eq!(end_record(b"{\"value\":1}\n{\"end\":true,\"cou"), None);
        assert_eq!(end_record(b""), None);
    }
}
