//! Limits on connections and transfers.

use std::time::Duration;

use time_series_api::{NetSettings, TrustedProxies};

use super::env::{ConfigError, Env};

/// Limits on connections and transfers.
#[derive(Debug, Clone)]
pub struct NetConfig {
    /// `MAX_CONNECTIONS` (default `4096`): maximum number of open connections.
    pub max_connections: usize,
    /// `MAX_CONNECTIONS_PER_PEER` (default `1024`): maximum number of open connections of one
    /// client address.
    pub max_connections_per_peer: usize,
    /// `MIN_TRANSFER_RATE` (default `4096`): minimum bytes per second of a body that is received,
    /// and of a response that is sent.
    pub min_rate: u64,
    /// `TRANSFER_GRACE_MS` (default `10000`): maximum pause of a transfer.
    pub grace: Duration,
    /// `TRUSTED_PROXIES` (default none): addresses and networks, comma-separated, of the proxies
    /// whose `X-Forwarded-For` identifies the client.
    pub trusted_proxies: TrustedProxies,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            max_connections: 4_096,
            max_connections_per_peer: 1_024,
            min_rate: 4_096,
            grace: Duration::from_secs(10),
            trusted_proxies: TrustedProxies::default(),
        }
    }
}

impl NetConfig {
    pub(super) fn read(env: &Env) -> Result<Self, ConfigError> {
        let default = Self::default();
        Ok(Self {
            max_connections: env.positive("MAX_CONNECTIONS", default.max_connections)?,
            max_connections_per_peer: env
                .positive("MAX_CONNECTIONS_PER_PEER", default.max_connections_per_peer)?,
            min_rate: env.positive("MIN_TRANSFER_RATE", default.min_rate)?,
            grace: env.positive_milliseconds("TRANSFER_GRACE_MS", 10_000)?,
            trusted_proxies: env.parsed("TRUSTED_PROXIES", default.trusted_proxies)?,
        })
    }

    /// Returns the settings of the REST API.
    pub(crate) fn settings(&self) -> NetSettings {
        NetSettings {
            max_connections: self.max_connections,
            max_connections_per_peer: self.max_connections_per_peer,
            min_rate: self.min_rate,
            grace: self.grace,
            trusted_proxies: self.trusted_proxies.clone(),
        }
    }
}
