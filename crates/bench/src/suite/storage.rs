//! Bytes per stored point, and the rate of ingest with many points stored.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use super::environment::Environment;
use super::figure::{Figure, Goal, Unit};
use super::ingest::{SMALL_CONNECTIONS, post, small_sessions};
use super::statistics::Statistics;
use crate::load::{RandomSessions, Sessions, Shape};

const PART: &str = "storage";

/// Figure 1: large sessions.
const LARGE_SESSIONS: usize = 2_000;
const LARGE_USERS: usize = 50;
const LARGE_POINTS: usize = 1_000;
const LARGE_BYTES: f64 = 6.0;
/// Figure 2: the load of the original stress test, which has one user.
const STRESS_SESSIONS: usize = 25_000;
const STRESS_POINTS: usize = 10;
const STRESS_BYTES: f64 = 110.0;
/// Figure 3: 1,000-point sessions that are stored before ingest is measured again.
const GROWN_SESSIONS: usize = 100_000;
const GROWN_USERS: usize = 1_000;
/// Sessions of figure 3 that are rendered together.
const BATCH: usize = 5_000;
const GROWN_RATIO: f64 = 0.8;
const REPEATS: usize = 5;

/// Measures the requested figures.
pub(super) async fn measure(environment: &mut Environment<'_>) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    if environment.bench.wants(1) {
        let sessions = RandomSessions::new(
            LARGE_USERS,
            environment.bench.scaled(LARGE_SESSIONS),
            LARGE_POINTS,
            Shape::Hz,
        );
        figures.extend(
            bytes(
                environment,
                1,
                "1,000-point sessions at 1 Hz, with indexes",
                &sessions,
                LARGE_POINTS,
                LARGE_BYTES,
            )
            .await?,
        );
    }
    if environment.bench.wants(2) {
        let sessions = RandomSessions::new(
            1,
            environment.bench.scaled(STRESS_SESSIONS),
            STRESS_POINTS,
            Shape::Seed,
        );
        figures.extend(
            bytes(
                environment,
                2,
                "the stress load, with indexes",
                &sessions,
                STRESS_POINTS,
                STRESS_BYTES,
            )
            .await?,
        );
    }
    if environment.bench.wants(3) {
        environment.truncate().await?;
        let empty = small_rates(environment, "nothing stored").await?;
        figures.push(growth(environment, &empty).await?);
    }
    Ok(figures)
}

/// Measures the bytes per point of these sessions; `None` for a database that may hold other data.
async fn bytes(
    environment: &mut Environment<'_>,
    number: u8,
    name: &str,
    sessions: &RandomSessions,
    points: usize,
    goal: f64,
) -> anyhow::Result<Option<Figure>> {
    environment.maintain().await?;
    let Some(before) = environment.target.bytes().await? else {
        return Ok(None);
    };
    post(environment, name, sessions, SMALL_CONNECTIONS, None).await?;
    environment.maintain().await?;
    let Some(after) = environment.target.bytes().await? else {
        return Ok(None);
    };
    let points = (sessions.count() * points) as f64;
    let mut figure = Figure::new(PART, number, name, Unit::BytesPerPoint, Goal::AtMost(goal));
    let mut total = 0.0;
    let mut tables = Vec::new();
    for table in &after {
        let old = before.iter().find(|old| old.table == table.table);
        let rows = (table.rows - old.map_or(0, |old| old.rows)) as f64 / points;
        let indexes = (table.indexes - old.map_or(0, |old| old.indexes)) as f64 / points;
        total += rows + indexes;
        tables.push(format!("{} {rows:.2} + {indexes:.2}", table.table));
    }
    figure
        .remarks
        .push(format!("rows + indexes: {}", tables.join(", ")));
    figure.measured = Ok(Statistics::single(total));
    Ok(Some(figure))
}

/// Measures the rate of ingest with many points stored, relative to that on an empty database.
async fn growth(environment: &mut Environment<'_>, empty: &Statistics) -> anyhow::Result<Figure> {
    let sessions = environment.bench.scaled(GROWN_SESSIONS);
    let mut stored = 0;
    while stored < sessions {
        let count = BATCH.min(sessions - stored);
        let batch = RandomSessions::new(
            GROWN_USERS.min(count),
            count,
            LARGE_POINTS,
            Shape::HzColumns,
        );
        post(
            environment,
            &format!("{} M points stored", stored / 1_000),
            &batch,
            SMALL_CONNECTIONS,
            None,
        )
        .await?;
        stored += count;
    }
    environment.maintain().await?;
    let grown = small_rates(environment, "all stored").await?;
    let name = format!(
        "10-point sessions with {} M points stored, relative to none",
        sessions / 1_000
    );
    let mut figure = Figure::new(PART, 3, name, Unit::Ratio, Goal::AtLeast(GROWN_RATIO));
    figure.remarks.push(format!(
        "{:.0} sessions/s with none stored, {:.0} with all",
        empty.p50, grown.p50
    ));
    figure.measured = Ok(Statistics::single(grown.p50 / empty.p50));
    Ok(figure)
}

/// Measures the sessions per second of small sessions. The first run is the warm-up.
async fn small_rates(environment: &mut Environment<'_>, name: &str) -> anyhow::Result<Statistics> {
    let mut rates = Vec::new();
    for _ in 0..=REPEATS {
        let sessions = small_sessions(environment);
        let sent = post(
            environment,
            &format!("10-point sessions, {name}"),
            &sessions,
            SMALL_CONNECTIONS,
            None,
        )
        .await?;
        rates.push(sessions.count() as f64 / sent.took.as_secs_f64());
    }
    rates.remove(0);
    Statistics::of(rates).ok_or_else(|| anyhow::anyhow!("no rates were measured"))
}
