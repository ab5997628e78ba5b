//! `cargo xtask bench`: what the service promises, measured over HTTP beside plain SQL on plain rows.

mod cpu;
mod figure;
mod ground;
mod hostile;
mod ingest;
mod memory;
mod peers;
mod queries;
mod report;
mod spread;
mod storage;
mod tables;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};

use self::ground::Ground;
use crate::progress::say;

/// Measures the service over HTTP against its targets, and beside plain SQL on plain rows
///
/// Prints a table: what is measured, its target, the median of what was measured with the tenth and ninetieth
/// percentile, the median of the same question asked in SQL of a plain table, and the ratio of the two. An answer other
/// than 200 is told in its line, and the others are measured nevertheless.
///
/// Without --url it works in a database of its own, which is dropped at the end, and on a service of its own with the
/// cache off; the first run needs some minutes to build them. With --url it posts to that service as users of its own,
/// whose sessions it deletes at the end. All data goes in through the HTTP API.
///
/// The parts (--only):
///
///   ingest    sessions posted over connections that stay open, rendered before:
///             1  sessions of 10 points, 64 connections                 at least 6,000 sessions/s
///             2  sessions of 1,000 points, 32 connections              at least 1,000,000 points/s, 0.4 of raw COPY
///             3  the same as columns                                      at least 2,000,000 points/s
///             4  the acknowledgement at half of the rate of 1, open loop      p99 at most 20 ms
///             5  one client, one session of 10 points at a time        at most three times an empty commit
///             6  the service's memory at its peak in all of these      at most 150 MiB
///             7  sessions of 10 points, 8 of 1,000 points, in one bulk body    no target, points/s
///             9  processor time of service and PostgreSQL for a million points of 2    no target
///             10 appends of 10 points to one live session, one at a time       no target, ms
///   storage   1  bytes a point with indexes, sessions of 1,000 points          at most 6
///             2  the same of the stress load, 250,000 points of one user       at most 110
///             3  figure ingest 1 with 100 million points stored                at least 0.8 of it with none
///   queries   13.7 million points of four kinds of users, and seven figures:
///             1  p90 by month of one series, 83,000 values in 25,000 small sessions      at most 40 ms
///             2  p50, p90 and p99 by week of 1,000,000 values in sessions at 1 Hz       at most 120 ms, half of SQL's
///             3  avg, min and max of 5 minutes over a week at 1 Hz (600,000 points)     at most 60 ms
///             4  the latest points of a user with 250,000 points in two years           at most 2 ms
///             5  1,000,000 points thinned out to 2,000 (LTTB)                           at most 150 ms
///             6  10 million points streamed as NDJSON       at least 500,000 points/s, 64 MiB more memory at most
///             7  the weekly averages of 1,000 users over a year                         at most 300 ms
///   hostile   eleven attacks from other addresses, in turn; always on a service of its own:
///             1  p99 of a well-behaved user's posts and queries                         at most 250 ms
///             2  p99 of /health/live                                                    at most 100 ms
///             3  the service's memory at its peak                                       at most 400 MiB
///             4  how much more memory it has 10 s afterwards                            at most 50 MiB
///
/// With --peers the first two figures of ingest, and the memory, stand beside InfluxDB's and VictoriaMetrics', which are
/// unpacked from Debian's packages and take the same data in the line protocol, a session a tag.
///
/// SQL is asked over a connection to the same database, in turn with the service, of the table `bench_row` that has the
/// same values one a row and an index on (`user_id`, series, time).
///
/// A quick look, on a hundredth of the data (targets are then not judged):
///
///   cargo xtask bench --scale 0.01 --repeat 5
///
/// On two cores, everything that is started included:
///
///   taskset -c 0,1 cargo xtask bench --json bench.json
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Bench {
    /// Only these parts [default: all].
    #[arg(long, value_enum, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,
    /// Only these figures of each part, such as 1,4; only their data is loaded [default: all].
    #[arg(long, value_name = "N", value_delimiter = ',')]
    figure: Vec<u8>,
    /// How often each figure is measured, after a warm-up; less often what takes long (a minute each at most, and the
    /// stream three times).
    #[arg(long, default_value_t = 50)]
    repeat: usize,
    /// So much of the data, such as 0.01: fewer sessions, and fewer users where there are many.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// How many sessions are posted at a time.
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// A running service, such as <http://127.0.0.1:8000>; its metric types must be seeded, and its cache should be off.
    /// Where it asks admins for a token, set `ADMIN_TOKEN`.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The database of that service, to ask SQL of: a table `bench_row` is made there (in place of another of that name)
    /// and dropped at the end. Without it only the service is measured.
    #[arg(long, value_name = "URL", requires = "url")]
    database_url: Option<String>,
    /// The process of that service, if it runs on this machine, whose memory is watched.
    #[arg(long, value_name = "PID", requires = "url")]
    pid: Option<u32>,
    /// Measure InfluxDB and VictoriaMetrics, too.
    #[arg(long)]
    peers: bool,
    /// Writes the tables of docs/BENCHMARKS.md anew, for the parts that are measured.
    #[arg(long)]
    docs: bool,
    /// Writes the figures to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where the embedded default keeps its data [default: .local].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// How quickly sessions are taken in.
    Ingest,
    /// How quick queries are.
    Queries,
    /// How much room points take.
    Storage,
    /// Latency of a well-behaved user during attacks.
    Hostile,
}

impl Bench {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.repeat > 0 && self.concurrency > 0 && self.scale > 0.0 && self.scale <= 1.0,
            "--repeat and --concurrency must be at least 1, and --scale more than 0 and at most 1"
        );
        let mut figures = Vec::new();
        let mut last = None;
        for part in Part::value_variants()
            .iter()
            .filter(|part| self.only.is_empty() || self.only.contains(part))
        {
            // Each in a database of its own: what one leaves there is nothing to the next.
            let mut ground = Ground::provide(&self).await?;
            let measured = match part {
                Part::Ingest => ingest::measure(&mut ground).await,
                Part::Queries => queries::measure(&mut ground).await,
                Part::Storage => storage::measure(&mut ground).await,
                Part::Hostile => hostile::measure(&mut ground).await,
            };
            let setting = ground.setting().await;
            let left = ground.leave().await;
            let (measured, setting) = (measured?, setting?);
            say(report::table(&self, &setting, &measured));
            left?;
            if self.docs {
                tables::write(*part, &report::circumstances(&self, &setting), &measured)?;
            }
            figures.extend(measured);
            last = Some(setting);
        }
        if let (Some(file), Some(setting)) = (&self.json, last) {
            let json = report::json(&self, &setting, &figures);
            std::fs::write(file, format!("{json:#}\n"))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    fn wants(&self, figure: u8) -> bool {
        self.figure.is_empty() || self.figure.contains(&figure)
    }

    /// So many at full scale; at least one.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count"
    )]
    fn scaled(&self, count: usize) -> usize {
        ((count as f64 * self.scale).round() as usize).max(1)
    }
}
