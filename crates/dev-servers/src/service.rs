//! Starts the service itself.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::bail;
use rustix::process::Signal;
use time_series_devkit::progress::Step;

use crate::process::Server;

/// Maximum time until the service is ready.
const START_TIMEOUT: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Starts the service and waits until it is ready.
///
/// # Errors
/// The service ends, or is not ready in time.
pub async fn start_service(
    program: &Path,
    database_url: &str,
    bind: SocketAddr,
    settings: &[(&str, &str)],
) -> anyhow::Result<Server> {
    let step = Step::start(format!("service on {bind}"));
    let mut command = Command::new(program);
    command
        .env("DATABASE_URL", database_url)
        .env("BIND_ADDR", bind.to_string());
    if std::env::var_os("LOG_FORMAT").is_none() {
        command.env("LOG_FORMAT", "text");
    }
    command.envs(settings.iter().copied());
    let mut service = Server::spawn("the service", &mut command, Signal::TERM)?;
    let url = format!("http://{}/health/ready", client_address(bind));
    let started = Instant::now();
    loop {
        if let Some(status) = service.exit_status()? {
            bail!("the service ended during its start: {status}");
        }
        if reqwest::get(&url)
            .await
            .is_ok_and(|response| response.status().is_success())
        {
            step.done("ready");
            return Ok(service);
        }
        if started.elapsed() > START_TIMEOUT {
            bail!(
                "the service is not ready after {} s",
                START_TIMEOUT.as_secs()
            );
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Returns the address that a client on this machine connects to.
#[must_use]
pub fn client_address(bind: SocketAddr) -> SocketAddr {
    let mut address = bind;
    if bind.ip().is_unspecified() {
        address.set_ip(if bind.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}
