//! Settings of the HTTP server.

use std::net::SocketAddr;
use std::time::Duration;

use super::env::{ConfigError, Env};
use super::net::NetConfig;

/// Settings of the HTTP server.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// `BIND_ADDR` (default `127.0.0.1:8000`): address and port to listen on. A host name is
    /// resolved. Port 0 selects a free port.
    pub bind: SocketAddr,
    /// `WORKERS` (default number of cores): number of threads that serve requests.
    pub workers: usize,
    /// `SHUTDOWN_SECONDS` (default `30`): time that open requests have to finish after a stop
    /// signal.
    pub shutdown: Duration,
    /// `ALLOWED_HOSTS` (default loopback names if `BIND_ADDR` is a loopback address, else all):
    /// accepted values of the header `Host`, comma-separated; `*` accepts all.
    pub allowed_hosts: Option<Vec<String>>,
    /// Limits on connections and transfers.
    pub net: NetConfig,
}

impl HttpConfig {
    pub(super) fn read(env: &Env) -> Result<Self, ConfigError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            bind: env.address("BIND_ADDR", SocketAddr::from(([127, 0, 0, 1], 8000)))?,
            workers: env.positive("WORKERS", cores)?,
            shutdown: Duration::from_secs(env.parsed("SHUTDOWN_SECONDS", 30)?),
            allowed_hosts: env.text("ALLOWED_HOSTS").map(|text| {
                text.split(',')
                    .map(|host| host.trim().to_ascii_lowercase())
                    .filter(|host| !host.is_empty())
                    .collect()
            }),
            net: NetConfig::read(env)?,
        })
    }
}
