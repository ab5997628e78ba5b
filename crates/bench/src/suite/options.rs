//! The options of `cargo xtask bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Measures the service over HTTP against its targets, and beside plain SQL on plain rows
///
/// Prints a table: the figure, its target, the measured median with the 10th and 90th percentile,
/// the median of the same question in SQL on a plain table, and the ratio of the two. A response
/// other than 200 is reported in its row, and the other figures are measured nevertheless.
///
/// Without --url the command uses a scratch database, which is dropped at the end, and a private
/// service with the cache off; the first run takes some minutes to build them. With --url it posts
/// to that service as new users and deletes their sessions at the end. All data is stored through
/// the HTTP API.
///
/// The parts (--only) and their figures (--figure):
///
///   ingest, requests rendered in advance, over kept-alive connections:
///     1   10-point sessions, 64 connections            >= 6,000 sessions/s
///     2   1,000-point sessions, 32 connections         >= 1,000,000 points/s, >= 0.4 x COPY
///     3   the same as columns                          >= 2,000,000 points/s
///     4   latency at half the rate of 1, open loop     p99 <= 20 ms
///     5   10-point sessions, one client, sequential    <= 3 x an empty commit
///     6   peak memory of the service during all these  <= 150 MiB
///     7   10-point sessions in one bulk body           points/s, no target
///     8   1,000-point sessions in one bulk body        points/s, no target
///     9   CPU time of service and PostgreSQL for 2     s per million points, no target
///     10  sequential appends of 10 points              ms, no target
///
///   storage:
///     1   bytes per point, 1,000-point sessions        <= 6
///     2   bytes per point, stress load of one user     <= 110
///     3   ingest 1 with 100 million points stored      >= 0.8 x the rate with none
///
///   queries, on 13.7 million points of four kinds of users:
///     1   p90 per month, 25,000 small sessions         <= 40 ms
///     2   p50, p90, p99 per week, 1,000,000 values     <= 120 ms, <= 0.5 x SQL
///     3   avg, min, max per 5 minutes, a week at 1 Hz  <= 60 ms
///     4   latest points of a user with 250,000 points  <= 2 ms
///     5   1,000,000 points downsampled to 2,000        <= 150 ms
///     6   10 million points streamed as NDJSON         >= 500,000 points/s, <= 64 MiB more memory
///     7   weekly averages of 1,000 users over a year   <= 300 ms
///
///   hostile, eleven attacks from other addresses, one after another, on a private service:
///     1   p99 of a well-behaved user's requests        <= 250 ms
///     2   p99 of /health/live                          <= 100 ms
///     3   peak memory of the service                   <= 400 MiB
///     4   additional memory 10 s after the attacks     <= 50 MiB
///
/// With --peers, ingest 1, 2 and 6 are also measured on InfluxDB and VictoriaMetrics, which are
/// unpacked from Debian's packages and receive the same data in the line protocol, with the session
/// as a tag.
///
/// SQL queries alternate with requests to the service. They run over a connection to the same
/// database on the table `bench_row`, which has one row per value and an index on (`user_id`,
/// series, time).
///
/// A quick look on a hundredth of the data (targets are then not judged):
///
///   cargo xtask bench --scale 0.01 --repeat 5
///
/// On two cores, including all servers:
///
///   taskset -c 0,1 cargo xtask bench --json bench.json
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Bench {
    /// Measure only these parts [default: all].
    #[arg(long, value_enum, value_name = "PART", value_delimiter = ',')]
    pub(super) only: Vec<Part>,
    /// Measure only these figures, such as 1,4, and load only their data [default: all].
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub(super) figure: Vec<u8>,
    /// Measurements per figure after the warm-up. Slow figures stop after a minute each, the stream
    /// after three measurements.
    #[arg(long, default_value_t = 50)]
    pub(super) repeat: usize,
    /// Fraction of the data, such as 0.01: fewer sessions, and fewer users where there are many.
    #[arg(long, default_value_t = 1.0)]
    pub(super) scale: f64,
    /// Number of sessions posted concurrently.
    #[arg(long, default_value_t = 16)]
    pub(super) concurrency: usize,
    /// A running service, such as <http://127.0.0.1:8000>. Its metric types must be seeded, and its
    /// cache should be off. If it requires a token of admins, set `ADMIN_TOKEN`.
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// The database of that service, for SQL: a table `bench_row` is created there, replacing one
    /// of that name, and dropped at the end. Without it only the service is measured.
    #[arg(long, value_name = "URL", requires = "url")]
    pub(super) database_url: Option<String>,
    /// The process id of that service on this machine, for measurements of its memory.
    #[arg(long, value_name = "PID", requires = "url")]
    pub(super) pid: Option<u32>,
    /// Also measure InfluxDB and VictoriaMetrics.
    #[arg(long)]
    pub(super) peers: bool,
    /// Update the tables of docs/BENCHMARKS.md for the measured parts.
    #[arg(long)]
    pub(super) docs: bool,
    /// Write the figures to this file as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Folder of the private database [default: .local].
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
}

/// A group of figures that is measured on its own.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// Rate and latency of writes.
    Ingest,
    /// Latency of queries.
    Queries,
    /// Bytes per stored point.
    Storage,
    /// Latency of a well-behaved user during attacks.
    Hostile,
}

impl Bench {
    /// Returns whether a figure is measured.
    pub(super) fn wants(&self, figure: u8) -> bool {
        self.figure.is_empty() || self.figure.contains(&figure)
    }

    /// Returns whether the figures are compared with their targets, which apply to all of the data.
    pub(super) fn judges(&self) -> bool {
        self.scale >= 1.0
    }

    /// Scales a count; at least one.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count"
    )]
    pub(super) fn scaled(&self, count: usize) -> usize {
        ((count as f64 * self.scale).round() as usize).max(1)
    }
}
