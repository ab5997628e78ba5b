//! Posts sessions with pre-rendered requests.

#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::sync::Arc;

use time_series_devkit::progress::Step;

use crate::load::{Requests, Sent, Sessions};
use crate::suite::environment::Environment;

/// Posts sessions, one per request, rendered in advance.
pub(in crate::suite) async fn post(
    environment: &mut Environment<'_>,
    name: &str,
    sessions: &impl Sessions,
    connections: usize,
    rate: Option<f64>,
) -> anyhow::Result<Sent> {
    let requests = render(environment, sessions)?;
    send(name, &requests, connections, rate).await
}

/// Renders the requests that post these sessions.
pub(super) fn render(
    environment: &mut Environment<'_>,
    sessions: &impl Sessions,
) -> anyhow::Result<Arc<Requests>> {
    let bodies = (0..sessions.count()).map(|number| sessions.body(number));
    let requests = Requests::posts(&environment.target.url, "/api/sessions/", bodies)?;
    environment.register(sessions);
    Ok(Arc::new(requests))
}

/// Sends requests and shows their rate.
pub(super) async fn send(
    name: &str,
    requests: &Arc<Requests>,
    connections: usize,
    rate: Option<f64>,
) -> anyhow::Result<Sent> {
    let step = Step::start(format!("{name}: {} requests", requests.len()));
    let sent = requests.send(connections, rate).await?;
    let seconds = sent.took.as_secs_f64();
    step.done(format!(
        "{seconds:.1} s, {:.0} requests/s",
        requests.len() as f64 / seconds
    ));
    Ok(sent)
}
