//! The figures of ingest.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::time::Duration;

use super::{MOST_REPEATS, PART, ceiling, post};
use anyhow::Context;

use crate::bench::cpu::CpuTimes;
use crate::bench::figure::{Beside, Figure, Goal, Obstacle, Unit};
use crate::bench::ground::Ground;
use crate::bench::spread::Spread;
use crate::load::{RandomSessions, Sent, Sessions, Shape};

/// Ten points, as in the original's stress test, of many users.
const SMALL_SESSIONS: usize = 24_000;
const SMALL_USERS: usize = 5_000;
const SMALL_POINTS: usize = 10;
pub(in crate::bench) const SMALL_CONNECTIONS: usize = 64;
/// Three series at 1 Hz.
pub(super) const LARGE_SESSIONS: usize = 2_000;
pub(super) const LARGE_USERS: usize = 50;
pub(super) const LARGE_POINTS: usize = 1_000;
pub(super) const LARGE_CONNECTIONS: usize = 32;
/// One after the other.
const LONELY_SESSIONS: usize = 1_000;
/// At half of the peak rate for about so many seconds.
const OPEN_SECONDS: f64 = 8.0;
const OPEN_CONNECTIONS: usize = 256;

const SESSIONS_PER_SECOND: f64 = 6_000.0;
const POINTS_PER_SECOND: f64 = 1_000_000.0;
const COLUMN_POINTS_PER_SECOND: f64 = 2_000_000.0;
const OF_RAW_COPY: f64 = 0.4;
const OF_PEERS: f64 = 2.0;
const P99_MILLISECONDS: f64 = 20.0;
const COMMITS: f64 = 3.0;
const MEBIBYTES: f64 = 150.0;

/// Everything that is posted, in turn.
pub(super) struct Loads<'a, 'b> {
    ground: &'a mut Ground<'b>,
    peak: Option<f64>,
    /// Whose processor time the database's is.
    postmaster: Option<u32>,
}

/// Sessions of ten points of many users.
pub(in crate::bench) fn small_sessions(ground: &Ground<'_>) -> RandomSessions {
    RandomSessions::new(
        SMALL_USERS,
        ground.bench.scaled(SMALL_SESSIONS),
        SMALL_POINTS,
        Shape::Seed,
    )
}

impl<'a, 'b> Loads<'a, 'b> {
    pub(super) async fn new(ground: &'a mut Ground<'b>) -> anyhow::Result<Self> {
        let postmaster = ground.postmaster().await?;
        Ok(Self {
            ground,
            peak: None,
            postmaster,
        })
    }

    fn cpu(&self) -> CpuTimes {
        CpuTimes::now(self.ground.pid(), self.postmaster)
    }

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
            let small = small_sessions(self.ground);
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
            figures.push(self.lonely().await?);
        }
        if self.wants(10) {
            figures.push(super::appends::measure(self.ground).await?);
        }
        Ok(figures)
    }

    fn wants(&self, number: u8) -> bool {
        self.ground.bench.wants(number)
    }

    async fn small(&mut self) -> anyhow::Result<Figure> {
        let name = "10-point sessions, one a request, 64 connections";
        let mut rates = Vec::new();
        let before = self.cpu();
        for _ in 0..self.repeats() {
            let sessions = small_sessions(self.ground);
            let sent = post(self.ground, name, &sessions, SMALL_CONNECTIONS, None).await?;
            rates.push(sessions.count() as f64 / sent.took.as_secs_f64());
        }
        let measured = warm(rates);
        self.peak = measured.as_ref().ok().map(|rates| rates.p50);
        let mut figure = Figure::new(
            PART,
            1,
            name,
            Unit::SessionsPerSecond,
            Goal::AtLeast(SESSIONS_PER_SECOND),
        );
        figure.measured = measured;
        figure.remarks.push(self.cpu().since(&before).shares());
        figure.goal_of_peers = self.ground.bench.peers.then_some(1.0);
        Ok(figure)
    }

    /// The rate, and the processor time for a million points.
    async fn large(
        &mut self,
        number: u8,
        name: &str,
        shape: Shape,
        goal: f64,
    ) -> anyhow::Result<Vec<Figure>> {
        let mut rates = Vec::new();
        let (mut copied, mut last, mut millions) = (None, CpuTimes::default(), Vec::new());
        for _ in 0..self.repeats() {
            let sessions = self.sessions(LARGE_USERS, LARGE_SESSIONS, LARGE_POINTS, shape);
            // Rendered before the clock is read, by the same program.
            let (sent, cpu) = self.timed(name, &sessions).await?;
            let points = (sessions.count() * LARGE_POINTS) as f64;
            rates.push(points / sent.took.as_secs_f64());
            millions.push((cpu.service + cpu.database) / (points / 1e6));
            last = cpu;
            copied = Some(sessions);
        }
        let mut cost = Figure::new(
            PART,
            9,
            "processor time of service and PostgreSQL for that",
            Unit::SecondsPerMillion,
            Goal::Unset,
        );
        cost.measured = warm(millions);
        let mut figure = Figure::new(
            PART,
            number,
            name,
            Unit::PointsPerSecond,
            Goal::AtLeast(goal),
        );
        figure.goal_of_sql = (shape == Shape::Hz).then_some(OF_RAW_COPY);
        figure.measured = warm(rates);
        figure.remarks.push(last.shares());
        if shape == Shape::Hz {
            figure.goal_of_peers = self.ground.bench.peers.then_some(OF_PEERS);
            if let (Some(url), Some(sessions)) = (self.ground.target.database_url(), &copied) {
                let rates = ceiling::copy_rows(url, sessions, self.repeats()).await?;
                let measured = Spread::of(rates).context("rows were copied")?;
                let name = "COPY into the original's table".to_owned();
                figure.beside.push(Beside {
                    name,
                    measured,
                    is_peer: false,
                });
            }
        }
        if let (Some(url), Some(sessions)) = (self.ground.target.database_url(), copied) {
            let took = ceiling::copy_blocks(url, sessions.users(), self.repeats()).await?;
            let points = (sessions.count() * LARGE_POINTS) as f64;
            figure.sql = Spread::of(
                took.iter()
                    .map(|took| points / took.as_secs_f64())
                    .collect(),
            );
        }
        Ok(vec![figure, cost])
    }

    async fn timed(
        &mut self,
        name: &str,
        sessions: &RandomSessions,
    ) -> anyhow::Result<(Sent, CpuTimes)> {
        let requests = super::render(self.ground, sessions)?;
        let before = self.cpu();
        let sent = super::send(name, &requests, LARGE_CONNECTIONS, None).await?;
        Ok((sent, self.cpu().since(&before)))
    }

    async fn bulk(
        &mut self,
        number: u8,
        name: &str,
        sessions: &RandomSessions,
        points: usize,
    ) -> anyhow::Result<Figure> {
        let took = super::bulk::post(self.ground, name, sessions).await?;
        let mut figure = Figure::new(PART, number, name, Unit::PointsPerSecond, Goal::Unset);
        figure.measured = Spread::of(vec![
            (sessions.count() * points) as f64 / took.as_secs_f64(),
        ])
        .ok_or_else(|| Obstacle::new("nothing was sent", ""));
        Ok(figure)
    }

    async fn at_half_rate(&mut self) -> anyhow::Result<Figure> {
        let name = "acknowledgement at half of that rate, p99";
        let mut figure = Figure::new(
            PART,
            4,
            name,
            Unit::Milliseconds,
            Goal::BoundedSeq(P99_MILLISECONDS),
        );
        let Some(peak) = self.peak else {
            return Ok(figure);
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count"
        )]
        let count = (peak / 2.0 * OPEN_SECONDS) as usize;
        let sessions = RandomSessions::new(SMALL_USERS, count, SMALL_POINTS, Shape::Seed);
        // What the loads before left to the disk is not of this rate.
        self.ground.settle().await?;
        let mut sent = post(
            self.ground,
            name,
            &sessions,
            OPEN_CONNECTIONS,
            Some(peak / 2.0),
        )
        .await?;
        sent.latencies.sort_unstable();
        let at = |part: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a place"
            )]
            let place = (sent.latencies.len().saturating_sub(1) as f64 * part) as usize;
            sent.latencies
                .get(place)
                .map_or(0.0, |latency| milliseconds(*latency))
        };
        figure.remarks.push(format!(
            "at {:.0} sessions/s, each timed from when it was due: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms",
            peak / 2.0,
            at(0.5),
            at(0.99),
            at(0.999)
        ));
        figure.measured =
            Spread::of(vec![at(0.99)]).ok_or_else(|| Obstacle::new("nothing was sent", ""));
        Ok(figure)
    }

    async fn lonely(&mut self) -> anyhow::Result<Figure> {
        let name = "10-point sessions, one client, one at a time";
        let sessions = self.sessions(1, LONELY_SESSIONS, SMALL_POINTS, Shape::Seed);
        let sent = post(self.ground, name, &sessions, 1, None).await?;
        let commits = match self.ground.target.database_url() {
            Some(url) => Spread::of(
                ceiling::commits(url)
                    .await?
                    .into_iter()
                    .map(milliseconds)
                    .collect(),
            ),
            None => None,
        };
        let goal = commits
            .as_ref()
            .map_or(Goal::Unset, |commit| Goal::BoundedSeq(COMMITS * commit.p50));
        let mut figure = Figure::new(PART, 5, name, Unit::Milliseconds, goal);
        figure.measured = Spread::of(sent.latencies.into_iter().map(milliseconds).collect())
            .ok_or_else(|| Obstacle::new("nothing was sent", ""));
        figure.sql = commits;
        Ok(figure)
    }

    fn repeats(&self) -> usize {
        self.ground.bench.repeat.min(MOST_REPEATS)
    }

    fn sessions(
        &self,
        users: usize,
        sessions: usize,
        points: usize,
        shape: Shape,
    ) -> RandomSessions {
        RandomSessions::new(users, self.ground.bench.scaled(sessions), points, shape)
    }
}

/// The most memory that the service had.
pub(super) fn peak_memory(peak: Option<f64>) -> Option<Figure> {
    let name = "the service's memory at its peak";
    let mut figure = Figure::new(PART, 6, name, Unit::Mebibytes, Goal::BoundedSeq(MEBIBYTES));
    figure.measured = Ok(Spread::of(vec![peak?])?);
    Some(figure)
}

/// Without the first run, which warms up, if there are others.
fn warm(mut rates: Vec<f64>) -> Result<Spread, Obstacle> {
    if rates.len() > 1 {
        rates.remove(0);
    }
    Spread::of(rates).ok_or_else(|| Obstacle::new("nothing was sent", ""))
}

pub(super) fn milliseconds(took: Duration) -> f64 {
    1e3 * took.as_secs_f64()
}
