//! How quickly sessions are taken in.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod appends;
mod bulk;
mod ceiling;
mod figures;
mod peers;

pub(super) use self::figures::{SMALL_CONNECTIONS, small_sessions};

use std::sync::Arc;

use self::figures::Loads;
use super::figure::Figure;
use super::ground::Ground;
use super::memory;
use crate::load::{Requests, Sent, Sessions};
use crate::progress::Step;

const PART: &str = "ingest";

/// What takes long is repeated no more often.
const MOST_REPEATS: usize = 5;

/// Measures every figure that is wanted, in their order.
pub(super) async fn measure(ground: &mut Ground<'_>) -> anyhow::Result<Vec<Figure>> {
    ground.target.restart().await?;
    let pid = ground.pid();
    if let Some(pid) = pid {
        memory::forget_peak(pid);
    }
    let mut figures = Loads::new(ground).await?.measure().await?;
    figures.extend(figures::peak_memory(pid.and_then(memory::peak)));
    if ground.bench.peers {
        peers::measure(ground, &mut figures).await?;
    }
    figures.retain(|figure| ground.bench.wants(figure.number));
    Ok(figures)
}

/// Posts sessions that are rendered before, one a request.
pub(super) async fn post(
    ground: &mut Ground<'_>,
    name: &str,
    sessions: &impl Sessions,
    connections: usize,
    rate: Option<f64>,
) -> anyhow::Result<Sent> {
    let requests = render(ground, sessions)?;
    send(name, &requests, connections, rate).await
}

/// Requests that post these sessions.
fn render(ground: &mut Ground<'_>, sessions: &impl Sessions) -> anyhow::Result<Arc<Requests>> {
    let bodies = (0..sessions.count()).map(|number| sessions.body(number));
    let requests = Requests::posts(&ground.target.url, "/api/sessions/", bodies)?;
    ground.remember(sessions);
    Ok(Arc::new(requests))
}

async fn send(
    name: &str,
    requests: &Arc<Requests>,
    connections: usize,
    rate: Option<f64>,
) -> anyhow::Result<Sent> {
    let step = Step::start(format!("{name}: {} sessions", requests.len()));
    let sent = requests.send(connections, rate).await?;
    step.done(format!(
        "{:.1} s, {:.0} a second",
        sent.took.as_secs_f64(),
        requests.len() as f64 / sent.took.as_secs_f64()
    ));
    Ok(sent)
}
