//! How much room points take, and whether ingest stays as quick when there are many.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use super::figure::{Figure, Goal, Obstacle, Unit};
use super::ground::Ground;
use super::ingest::{SMALL_CONNECTIONS, post, small_sessions};
use super::spread::Spread;
use crate::load::{RandomSessions, Sessions, Shape};

const PART: &str = "storage";

const LARGE_SESSIONS: usize = 2_000;
const LARGE_USERS: usize = 50;
const LARGE_POINTS: usize = 1_000;
const LARGE_BYTES: f64 = 6.0;
/// As in the original's stress test: one user.
const STRESS_SESSIONS: usize = 25_000;
const STRESS_POINTS: usize = 10;
const STRESS_BYTES: f64 = 110.0;
/// Sessions of 1,000 points that are there when ingest is measured again, posted so many at a time.
const GROWN_SESSIONS: usize = 100_000;
const GROWN_USERS: usize = 1_000;
const BATCH: usize = 5_000;
const GROWN: f64 = 0.8;
const REPEATS: usize = 5;

/// Measures every figure that is wanted, in their order.
pub(super) async fn measure(ground: &mut Ground<'_>) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    if ground.bench.wants(1) {
        let sessions = RandomSessions::new(
            LARGE_USERS,
            ground.bench.scaled(LARGE_SESSIONS),
            LARGE_POINTS,
            Shape::Hz,
        );
        figures.extend(
            bytes(
                ground,
                1,
                "1,000-point sessions at 1 Hz, indexes too",
                &sessions,
                LARGE_POINTS,
                LARGE_BYTES,
            )
            .await?,
        );
    }
    if ground.bench.wants(2) {
        let sessions = RandomSessions::new(
            1,
            ground.bench.scaled(STRESS_SESSIONS),
            STRESS_POINTS,
            Shape::Seed,
        );
        figures.extend(
            bytes(
                ground,
                2,
                "the stress load, indexes too",
                &sessions,
                STRESS_POINTS,
                STRESS_BYTES,
            )
            .await?,
        );
    }
    if ground.bench.wants(3) {
        ground.empty().await?;
        let empty = small_rates(ground, "nothing stored").await?;
        figures.push(growth(ground, &empty).await?);
    }
    Ok(figures)
}

/// Bytes a point of these sessions; `None` for a database that may hold other data.
async fn bytes(
    ground: &mut Ground<'_>,
    number: u8,
    name: &str,
    sessions: &RandomSessions,
    points: usize,
    goal: f64,
) -> anyhow::Result<Option<Figure>> {
    ground.settle().await?;
    let Some(before) = ground.target.bytes().await? else {
        return Ok(None);
    };
    post(ground, name, sessions, SMALL_CONNECTIONS, None).await?;
    ground.settle().await?;
    let Some(after) = ground.target.bytes().await? else {
        return Ok(None);
    };
    let points = (sessions.count() * points) as f64;
    let mut figure = Figure::new(
        PART,
        number,
        name,
        Unit::BytesPerPoint,
        Goal::BoundedSeq(goal),
    );
    let (mut all, mut parts) = (0.0, Vec::new());
    for table in &after {
        let old = before.iter().find(|old| old.table == table.table);
        let rows = (table.rows - old.map_or(0, |old| old.rows)) as f64 / points;
        let indexes = (table.indexes - old.map_or(0, |old| old.indexes)) as f64 / points;
        all += rows + indexes;
        parts.push(format!("{} {rows:.2} + {indexes:.2}", table.table));
    }
    figure
        .remarks
        .push(format!("rows + indexes: {}", parts.join(", ")));
    figure.measured = Spread::of(vec![all]).ok_or_else(|| Obstacle::new("nothing was stored", ""));
    Ok(Some(figure))
}

async fn growth(ground: &mut Ground<'_>, empty: &Spread) -> anyhow::Result<Figure> {
    let sessions = ground.bench.scaled(GROWN_SESSIONS);
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
            ground,
            &format!("{} M points stored", stored / 1_000),
            &batch,
            SMALL_CONNECTIONS,
            None,
        )
        .await?;
        stored += count;
    }
    ground.settle().await?;
    let grown = small_rates(ground, "all of them stored").await?;
    let name = format!(
        "10-point sessions with {} M points stored, of those with none",
        sessions / 1_000
    );
    let mut figure = Figure::new(PART, 3, name, Unit::Ratio, Goal::AtLeast(GROWN));
    figure.remarks.push(format!(
        "{:.0} sessions/s with none, {:.0} with all",
        empty.p50, grown.p50
    ));
    figure.measured = Spread::of(vec![grown.p50 / empty.p50])
        .ok_or_else(|| Obstacle::new("nothing was sent", ""));
    Ok(figure)
}

/// How many small sessions a second, the first run left out.
async fn small_rates(ground: &mut Ground<'_>, name: &str) -> anyhow::Result<Spread> {
    let mut rates = Vec::new();
    for _ in 0..=REPEATS {
        let sessions = small_sessions(ground);
        let sent = post(
            ground,
            &format!("10-point sessions, {name}"),
            &sessions,
            SMALL_CONNECTIONS,
            None,
        )
        .await?;
        rates.push(sessions.count() as f64 / sent.took.as_secs_f64());
    }
    rates.remove(0);
    Spread::of(rates).ok_or_else(|| anyhow::anyhow!("nothing was sent"))
}
