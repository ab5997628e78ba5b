//! Settings of connections and transfers.

use std::time::Duration;

use time_series_api::{NetSettings, TrustedProxies};

use super::env::{ConfigError, Env};
use super::sections::{at_least_one, milliseconds};

/// Bounds on connections and transfers.
#[derive(Debug, Clone)]
pub struct NetConfig {
    /// `MAX_CONNECTIONS`, default 4096: the most connections.
    pub connections: usize,
    /// `MAX_CONNECTIONS_PER_PEER`, default 1024: the most connections of one address.
    pub connections_of_peer: usize,
    /// `MIN_TRANSFER_RATE`, default 4096: the least bytes per second of a body, and of an answer that is being read.
    pub min_rate: u64,
    /// `TRANSFER_GRACE_MS`, default 10000: how long a body, or the reading of an answer, may stand still.
    pub grace: Duration,
    /// `TRUSTED_PROXIES`, addresses and networks with commas: the proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            connections: 4_096,
            connections_of_peer: 1_024,
            min_rate: 4_096,
            grace: Duration::from_secs(10),
            trusted_proxies: TrustedProxies::default(),
        }
    }
}

impl NetConfig {
    pub(super) fn read(env: &Env) -> Result<Self, ConfigError> {
        let default = Self::default();
        let per_peer = env.parsed("MAX_CONNECTIONS_PER_PEER", default.connections_of_peer)?;
        Ok(Self {
            connections: at_least_one(
                "MAX_CONNECTIONS",
                env.parsed("MAX_CONNECTIONS", default.connections)?,
            )?,
            connections_of_peer: at_least_one("MAX_CONNECTIONS_PER_PEER", per_peer)?,
            min_rate: at_least_one(
                "MIN_TRANSFER_RATE",
                env.parsed("MIN_TRANSFER_RATE", default.min_rate)?,
            )?,
            grace: at_least_one(
                "TRANSFER_GRACE_MS",
                milliseconds(env, "TRANSFER_GRACE_MS", 10_000)?,
            )?,
            trusted_proxies: env.parsed("TRUSTED_PROXIES", TrustedProxies::default())?,
        })
    }

    /// Returns the settings of the REST surface.
    pub(crate) fn settings(&self) -> NetSettings {
        NetSettings {
            max_connections: self.connections,
            max_connections_per_peer: self.connections_of_peer,
            min_rate: self.min_rate,
            grace: self.grace,
            trusted_proxies: self.trusted_proxies.clone(),
        }
    }
}
