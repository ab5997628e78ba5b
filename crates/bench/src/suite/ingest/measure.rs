//! Measures the figures of ingest.

use super::loads::{Loads, peak_memory};
use super::peers;
use crate::suite::environment::Environment;
use crate::suite::figure::Figure;
use crate::suite::memory;

/// Measures the requested figures, in the order of their numbers where possible.
pub(in crate::suite) async fn measure(
    environment: &mut Environment<'_>,
) -> anyhow::Result<Vec<Figure>> {
    environment.target.restart().await?;
    let pid = environment.pid();
    if let Some(pid) = pid {
        memory::reset_peak(pid);
    }
    let mut figures = Loads::new(environment).await?.measure().await?;
    figures.extend(peak_memory(pid.and_then(memory::peak)));
    if environment.bench.peers {
        peers::measure(environment, &mut figures).await?;
    }
    figures.retain(|figure| environment.bench.wants(figure.number));
    Ok(figures)
}
