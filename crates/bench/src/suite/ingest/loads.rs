//! The loads of ingest and their figures.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::time::Duration;

use anyhow::Context;

use super::posting::{post, render, send};
use super::{PART, appends, bulk, ceiling};
use crate::load::{RandomSessions, Sent, Sessions, Shape};
use crate::suite::cpu::CpuTimes;
use crate::suite::environment::Environment;
use crate::suite::figure::{Comparison, Failure, Figure, Goal, Unit};
use crate::suite::statistics::{Statistics, milliseconds};

/// Maximum number of repetitions of a load.
const MAX_REPEATS: usize = 5;

/// Small sessions: ten points, as in the original stress test, of many users.
const SMALL_SESSIONS: usize = 24_000;
const SMALL_USERS: usize = 5_000;
const SMALL_POINTS: usize = 10;
pub(in crate::suite) const SMALL_CONNECTIONS: usize = 64;
/// Large sessions: three series at 1 Hz.
pub(super) const LARGE_SESSIONS: usize = 2_000;
pub(super) const LARGE_USERS: usize = 50;
pub(super) const LARGE_POINTS: usize = 1_000;
pub(super) const LARGE_CONNECTIONS: usize = 32;
/// Sessions of one client, sent one at a time.
const SEQUENTIAL_SESSIONS: usize = 1_000;
/// Approximate duration of the open loop at half of the peak rate.
const OPEN_SECONDS: f64 = 8.0;
const OPEN_CONNECTIONS: usize = 256;

/// Goals.
const SESSIONS_PER_SECOND: f64 = 6_000.0;
const POINTS_PER_SECOND: f64 = 1_000_000.0;
const COLUMN_POINTS_PER_SECOND: f64 = 2_000_000.0;
const RATIO_TO_COPY: f64 = 0.4;
const RATIO_TO_PEERS: f64 = 2.0;
const P99_MILLISECONDS: f64 = 20.0;
const RATIO_TO_COMMIT: f64 = 3.0;
const MEBIBYTES: f64 = 150.0;

/// The loads, posted one after another.
pub(super) struct Loads<'a, 'b> {
    environment: &'a mut Environment<'b>,
    /// The rate of figure 1 in sessions per second.
    peak_rate: Option<f64>,
    /// The process of the database server, for its CPU time.
    postmaster: Option<u32>,
}

/// Returns new small sessions.
pub(in crate::suite) fn small_sessions(environment: &Environment<'_>) -> RandomSessions {
    RandomSessions::new(
        SMALL_USERS,
        environment.bench.scaled(SMALL_SESSIONS),
        SMALL_POINTS,
        Shape::Seed,
    )
}

impl<'a, 'b> Loads<'a, 'b> {
    pub(super) async fn new(environment: &'a mut Environment<'b>) -> anyhow::Result<Self> {
        let postmaster = environment.postmaster().await?;
        Ok(Self {
            environment,
            peak_rate: None,
            postmaster,
        })
    }

    fn cpu(&self) -> CpuTimes {
        CpuTimes::now(self.environment.pid(), self.postmaster)
    }

    /// Measures the requested figures, except peak memory.
    pub(super) async fn measure(mut self) -> anyhow::Result<Vec<Figure>> {
        let mut figures = Vec::new();
        if self.wants(1) || self.wants(4) {
            figures.push(self.small().await?);
        }
        if self.wants(2) || self.wants(9) {
            let name = "1,000-point sessions, JSON, 32 connections";
            figures.extend(self.large(2, name, Shape::Hz, POINTS_PER_SECOND).await?);
        }
        if self.wants(3) {
            let name = "… as columns";
            figures.extend(
                self.large(3, name, Shape::HzColumns, COLUMN_POINTS_PER_SECOND)
                    .await?
                    .into_iter()
                    .take(1),
            );
        }
        if self.wants(7) {
            let name = "bulk, 10-point sessions";
            let small = small_sessions(self.environment);
            figures.push(self.bulk(7, name, &small, SMALL_POINTS).await?);
        }
        if self.wants(8) {
            let name = "bulk, 1,000-point sessions, JSON";
            let large = self.sessions(LARGE_USERS, LARGE_SESSIONS, LARGE_POINTS, Shape::Hz);
            figures.push(self.bulk(8, name, &large, LARGE_POINTS).await?);
        }
        if self.wants(4) {
            figures.push(self.at_half_rate().await?);
        }
        if self.wants(5) {
            figures.push(self.sequential().await?);
        }
        if self.wants(10) {
            figures.push(appends::measure(self.environment).await?);
        }
        Ok(figures)
    }

    fn wants(&self, number: u8) -> bool {
        self.environment.bench.wants(number)
    }

    async fn small(&mut self) -> anyhow::Result<Figure> {
        let name = "10-point sessions, one per request, 64 connections";
        let mut rates = Vec::new();
        let before = self.cpu();
        for _ in 0..self.repeats() {
            let sessions = small_sessions(self.environment);
            let sent = post(self.environment, name, &sessions, SMALL_CONNECTIONS, None).await?;
            rates.push(sessions.count() as f64 / sent.took.as_secs_f64());
        }
        let measured = without_warm_up(rates);
        self.peak_rate = measured.as_ref().ok().map(|rates| rates.p50);
        let mut figure = Figure::new(
            PART,
            1,
            name,
            Unit::SessionsPerSecond,
            Goal::AtLeast(SESSIONS_PER_SECOND),
        );
        figure.measured = measured;
        figure.remarks.push(self.cpu().since(&before).shares());
        figure.goal_of_peers = self.environment.bench.peers.then_some(1.0);
        Ok(figure)
    }

    /// Measures the rate, and the CPU time per million points.
    async fn large(
        &mut self,
        number: u8,
        name: &str,
        shape: Shape,
        goal: f64,
    ) -> anyhow::Result<Vec<Figure>> {
        let mut rates = Vec::new();
        let mut last_sessions = None;
        let mut last_cpu = CpuTimes::default();
        let mut costs = Vec::new();
        for _ in 0..self.repeats() {
            let sessions = self.sessions(LARGE_USERS, LARGE_SESSIONS, LARGE_POINTS, shape);
            let (sent, cpu) = self.timed(name, &sessions).await?;
            let points = (sessions.count() * LARGE_POINTS) as f64;
            rates.push(points / sent.took.as_secs_f64());
            costs.push((cpu.service + cpu.database) / (points / 1e6));
            last_cpu = cpu;
            last_sessions = Some(sessions);
        }
        let mut cost = Figure::new(
            PART,
            9,
            "CPU time of service and PostgreSQL for figure 2",
            Unit::SecondsPerMillion,
            Goal::Unset,
        );
        cost.measured = without_warm_up(costs);
        let mut figure = Figure::new(
            PART,
            number,
            name,
            Unit::PointsPerSecond,
            Goal::AtLeast(goal),
        );
        figure.goal_of_sql = (shape == Shape::Hz).then_some(RATIO_TO_COPY);
        figure.measured = without_warm_up(rates);
        figure.remarks.push(last_cpu.shares());
        if shape == Shape::Hz {
            figure.goal_of_peers = self.environment.bench.peers.then_some(RATIO_TO_PEERS);
            if let (Some(url), Some(sessions)) =
                (self.environment.target.database_url(), &last_sessions)
            {
                let rates = ceiling::copy_rows(url, sessions, self.repeats()).await?;
                let measured = Statistics::of(rates).context("no rows were copied")?;
                let name = "COPY into the original table".to_owned();
                figure.comparisons.push(Comparison {
                    name,
                    measured,
                    is_peer: false,
                });
            }
        }
        if let (Some(url), Some(sessions)) = (self.environment.target.database_url(), last_sessions)
        {
            let took = ceiling::copy_blocks(url, sessions.users(), self.repeats()).await?;
            let points = (sessions.count() * LARGE_POINTS) as f64;
            figure.sql = Statistics::of(
                took.iter()
                    .map(|took| points / took.as_secs_f64())
                    .collect(),
            );
        }
        Ok(vec![figure, cost])
    }

    /// Posts sessions, and measures the CPU time without that of rendering them.
    async fn timed(
        &mut self,
        name: &str,
        sessions: &RandomSessions,
    ) -> anyhow::Result<(Sent, CpuTimes)> {
        let requests = render(self.environment, sessions)?;
        let before = self.cpu();
        let sent = send(name, &requests, LARGE_CONNECTIONS, None).await?;
        Ok((sent, self.cpu().since(&before)))
    }

    async fn bulk(
        &mut self,
        number: u8,
        name: &str,
        sessions: &RandomSessions,
        points: usize,
    ) -> anyhow::Result<Figure> {
        let took = bulk::post(self.environment, name, sessions).await?;
        let mut figure = Figure::new(PART, number, name, Unit::PointsPerSecond, Goal::Unset);
        let rate = (sessions.count() * points) as f64 / took.as_secs_f64();
        figure.measured = Ok(Statistics::single(rate));
        Ok(figure)
    }

    async fn at_half_rate(&mut self) -> anyhow::Result<Figure> {
        let name = "latency at half the rate of figure 1, p99";
        let mut figure = Figure::new(
            PART,
            4,
            name,
            Unit::Milliseconds,
            Goal::AtMost(P99_MILLISECONDS),
        );
        let Some(peak_rate) = self.peak_rate else {
            return Ok(figure);
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count"
        )]
        let count = (peak_rate / 2.0 * OPEN_SECONDS) as usize;
        let sessions = RandomSessions::new(SMALL_USERS, count, SMALL_POINTS, Shape::Seed);
        // Writes of the previous loads must not reach the disk now.
        self.environment.maintain().await?;
        let mut sent = post(
            self.environment,
            name,
            &sessions,
            OPEN_CONNECTIONS,
            Some(peak_rate / 2.0),
        )
        .await?;
        sent.latencies.sort_unstable();
        let at = |part| percentile(&sent.latencies, part);
        figure.remarks.push(format!(
            "at {:.0} sessions/s, open loop: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms",
            peak_rate / 2.0,
            at(0.5),
            at(0.99),
            at(0.999)
        ));
        figure.measured = Ok(Statistics::single(at(0.99)));
        Ok(figure)
    }

    async fn sequential(&mut self) -> anyhow::Result<Figure> {
        let name = "10-point sessions, one client, sequential";
        let sessions = self.sessions(1, SEQUENTIAL_SESSIONS, SMALL_POINTS, Shape::Seed);
        let sent = post(self.environment, name, &sessions, 1, None).await?;
        let commits = match self.environment.target.database_url() {
            Some(url) => Statistics::of(
                ceiling::commits(url)
                    .await?
                    .into_iter()
                    .map(milliseconds)
                    .collect(),
            ),
            None => None,
        };
        let goal = commits.as_ref().map_or(Goal::Unset, |commit| {
            Goal::AtMost(RATIO_TO_COMMIT * commit.p50)
        });
        let mut figure = Figure::new(PART, 5, name, Unit::Milliseconds, goal);
        figure.measured = Statistics::of(sent.latencies.into_iter().map(milliseconds).collect())
            .ok_or_else(|| Failure::new("nothing was sent", ""));
        figure.sql = commits;
        Ok(figure)
    }

    fn repeats(&self) -> usize {
        self.environment.bench.repeat.min(MAX_REPEATS)
    }

    fn sessions(
        &self,
        users: usize,
        sessions: usize,
        points: usize,
        shape: Shape,
    ) -> RandomSessions {
        RandomSessions::new(
            users,
            self.environment.bench.scaled(sessions),
            points,
            shape,
        )
    }
}

/// Returns the figure of the peak memory of the service.
pub(super) fn peak_memory(peak: Option<f64>) -> Option<Figure> {
    let name = "peak memory of the service";
    let mut figure = Figure::new(PART, 6, name, Unit::Mebibytes, Goal::AtMost(MEBIBYTES));
    figure.measured = Ok(Statistics::single(peak?));
    Some(figure)
}

/// Returns the statistics without the first run, which is the warm-up, if there are others.
fn without_warm_up(mut rates: Vec<f64>) -> Result<Statistics, Failure> {
    if rates.len() > 1 {
        rates.remove(0);
    }
    Statistics::of(rates).ok_or_else(|| Failure::new("nothing was sent", ""))
}

/// Returns a percentile in milliseconds; `part` is between 0 and 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index"
)]
fn percentile(sorted: &[Duration], part: f64) -> f64 {
    let index = (sorted.len().saturating_sub(1) as f64 * part) as usize;
    sorted
        .get(index)
        .map_or(0.0, |latency| milliseconds(*latency))
}
