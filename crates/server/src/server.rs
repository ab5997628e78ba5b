//! Start and shutdown of the service.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use metrics_exporter_prometheus::PrometheusHandle;
use time_series_api::{HttpServer, NotReady, Readiness, describe_metrics, metrics_recorder};

use crate::config::{Config, ConfigError};
use crate::wiring::{settings, wire};

/// Interval at which the samples of histograms are merged.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// A running service.
pub struct Server(HttpServer);

/// Reason why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The service cannot listen on the address.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The database does not meet the requirements of this release.
    #[error(transparent)]
    NotReady(#[from] NotReady),
}

impl Server {
    /// Starts the service. The database may be unreachable, but a reachable database must have the
    /// tables of this release.
    ///
    /// # Errors
    /// [`StartError`], whose text is for the operator.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let use_cases = wire(&config)?;
        check_readiness(use_cases.readiness.as_ref()).await?;
        let metrics = metrics_handle();
        start_metrics_upkeep(metrics.clone());
        let bind = config.http.bind;
        let started = HttpServer::start(bind, use_cases, settings(&config), metrics);
        started.map(Self).map_err(|e| StartError::Listen(bind, e))
    }

    /// Returns the address that the service listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Returns a handle that stops the service.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.0.handle()
    }

    /// Serves until [`Self::handle`] stops the service, then finishes the requests in progress.
    ///
    /// # Errors
    /// The sockets failed.
    pub async fn run_until_stopped(self) -> std::io::Result<()> {
        self.0.run_until_stopped().await
    }
}

/// Checks the settings, and that the database is reachable and has the tables of this release.
///
/// # Errors
/// [`StartError`], whose text is for the operator.
pub async fn check(config: &Config) -> Result<(), StartError> {
    Ok(wire(config)?.readiness.check().await?)
}

async fn check_readiness(readiness: &dyn Readiness) -> Result<(), NotReady> {
    match readiness.check().await {
        Err(NotReady::Unreachable) => {
            tracing::warn!("the database of DATABASE_URL is unreachable; the service is not ready");
            Ok(())
        }
        result => result,
    }
}

/// Merges the samples of histograms periodically, which bounds their memory.
fn start_metrics_upkeep(metrics: PrometheusHandle) {
    actix_web::rt::spawn(async move {
        let mut interval = tokio::time::interval(METRICS_UPKEEP);
        loop {
            interval.tick().await;
            metrics.run_upkeep();
        }
    });
}

/// Returns the handle of the recorder, which is shared by all services of the process: tests start
/// several.
fn metrics_handle() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let recorder = metrics_recorder().expect("the buckets are not empty");
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).ok(); // a test may have installed a recorder
        describe_metrics();
        handle
    };
    HANDLE.get_or_init(install).clone()
}
