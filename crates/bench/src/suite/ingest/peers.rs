//! The same sessions, posted to other databases.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use super::loads::{
    LARGE_CONNECTIONS, LARGE_POINTS, LARGE_SESSIONS, LARGE_USERS, SMALL_CONNECTIONS, small_sessions,
};
use crate::load::{RandomSessions, Sessions, Shape};
use crate::suite::environment::Environment;
use crate::suite::figure::{Comparison, Figure};
use crate::suite::peers::{Peer, Peers};
use crate::suite::statistics::Statistics;

/// Runs per figure; the first is the warm-up.
const RUNS: usize = 4;

/// Adds the measurements of each peer to the figures of rates and memory.
pub(super) async fn measure(
    environment: &Environment<'_>,
    figures: &mut [Figure],
) -> anyhow::Result<()> {
    let peers = Peers::provide(environment.bench.data_dir.as_deref())?;
    compare(&peers.influxdb().await?, environment, figures).await?;
    compare(&peers.victoria_metrics().await?, environment, figures).await
}

async fn compare(
    peer: &Peer,
    environment: &Environment<'_>,
    figures: &mut [Figure],
) -> anyhow::Result<()> {
    for figure in figures.iter_mut() {
        let measured = match figure.number {
            1 => rates(peer, || small_sessions(environment), SMALL_CONNECTIONS, 1).await?,
            2 => {
                let sessions = || {
                    RandomSessions::new(
                        LARGE_USERS,
                        environment.bench.scaled(LARGE_SESSIONS),
                        LARGE_POINTS,
                        Shape::Hz,
                    )
                };
                rates(peer, sessions, LARGE_CONNECTIONS, LARGE_POINTS).await?
            }
            _ => None,
        };
        figure
            .comparisons
            .extend(measured.map(|measured| comparison(peer, measured)));
    }
    if let (Some(figure), Some(memory)) = (
        figures.iter_mut().find(|figure| figure.number == 6),
        peer.peak_memory(),
    ) {
        figure
            .comparisons
            .push(comparison(peer, Statistics::single(memory)));
    }
    Ok(())
}

fn comparison(peer: &Peer, measured: Statistics) -> Comparison {
    Comparison {
        name: peer.name.to_owned(),
        measured,
        is_peer: true,
    }
}

/// Measures sessions per second, times `weight`.
async fn rates(
    peer: &Peer,
    sessions: impl Fn() -> RandomSessions,
    connections: usize,
    weight: usize,
) -> anyhow::Result<Option<Statistics>> {
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let sessions = sessions();
        let took = peer.post(&sessions, connections).await?;
        rates.push((sessions.count() * weight) as f64 / took.as_secs_f64());
    }
    rates.remove(0);
    Ok(Statistics::of(rates))
}
