//! The same sessions, posted to other databases.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use super::figures::{
    LARGE_CONNECTIONS, LARGE_POINTS, LARGE_SESSIONS, LARGE_USERS, SMALL_CONNECTIONS, small_sessions,
};
use crate::bench::figure::{Beside, Figure};
use crate::bench::ground::Ground;
use crate::bench::peers::{Peer, Peers};
use crate::bench::spread::Spread;
use crate::load::{RandomSessions, Sessions, Shape};

/// The first warms up.
const REPEATS: usize = 4;

/// Adds what each peer reaches to the figures of rates and memory.
pub(super) async fn measure(ground: &Ground<'_>, figures: &mut [Figure]) -> anyhow::Result<()> {
    let peers = Peers::provide(ground.bench.data_dir.as_deref())?;
    add(&peers.influxdb().await?, ground, figures).await?;
    add(&peers.victoria_metrics().await?, ground, figures).await
}

async fn add(peer: &Peer, ground: &Ground<'_>, figures: &mut [Figure]) -> anyhow::Result<()> {
    for figure in figures.iter_mut() {
        let measured = match figure.number {
            1 => rates(peer, || small_sessions(ground), SMALL_CONNECTIONS, 1).await?,
            2 => {
                let sessions = || {
                    RandomSessions::new(
                        LARGE_USERS,
                        ground.bench.scaled(LARGE_SESSIONS),
                        LARGE_POINTS,
                        Shape::Hz,
                    )
                };
                rates(peer, sessions, LARGE_CONNECTIONS, LARGE_POINTS).await?
            }
            _ => None,
        };
        let beside = |measured| Beside {
            name: peer.name.to_owned(),
            measured,
            is_peer: true,
        };
        figure.beside.extend(measured.map(beside));
    }
    let memory = peer.peak_memory().and_then(|peak| Spread::of(vec![peak]));
    if let (Some(figure), Some(measured)) =
        (figures.iter_mut().find(|figure| figure.number == 6), memory)
    {
        figure.beside.push(Beside {
            name: peer.name.to_owned(),
            measured,
            is_peer: true,
        });
    }
    Ok(())
}

/// Sessions a second, times `weight`.
async fn rates(
    peer: &Peer,
    sessions: impl Fn() -> RandomSessions,
    connections: usize,
    weight: usize,
) -> anyhow::Result<Option<Spread>> {
    let mut rates = Vec::new();
    for _ in 0..REPEATS {
        let sessions = sessions();
        let took = peer.post(&sessions, connections).await?;
        rates.push((sessions.count() * weight) as f64 / took.as_secs_f64());
    }
    rates.remove(0);
    Ok(Spread::of(rates))
}
