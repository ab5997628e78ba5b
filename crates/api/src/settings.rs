//! Settings of the REST API, as plain values.

use std::net::SocketAddr;
use std::time::Duration;

use secrecy::SecretString;
use time_series_domain::TimeRules;
use time_series_domain::query::QueryLimits;

use crate::net::TrustedProxies;

/// Settings of the REST API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Number of threads that serve requests.
    pub workers: usize,
    /// Time that requests have to finish after a stop is requested.
    pub shutdown: Duration,
    /// Limits on connections and transfers.
    pub net: NetSettings,
    /// Accepted values of the `Host` header.
    pub hosts: AllowedHosts,
    /// The clients that may change metric types.
    pub admins: Admins,
    /// Maximum bytes of a decompressed body.
    pub body_bytes: usize,
    /// Maximum bytes of all bodies in memory. Half of them are reserved for bulk uploads.
    pub bytes_in_flight: usize,
    /// Maximum expected wait of a validation or a write.
    pub max_write_wait: Duration,
    /// Maximum time of a write, including its wait.
    pub write_timeout: Duration,
    /// Maximum number of concurrent queries.
    pub query_concurrency: usize,
    /// Maximum time that a query waits to start.
    pub query_wait: Duration,
    /// Maximum time of a query.
    pub query_timeout: Duration,
    /// Limits on the results of queries.
    pub limits: QueryLimits,
    /// Limits on the times of points.
    pub rules: TimeRules,
}

/// Limits on connections and transfers.
#[derive(Debug, Clone)]
pub struct NetSettings {
    /// Maximum number of connections.
    pub max_connections: usize,
    /// Maximum number of connections per peer.
    pub max_connections_per_peer: usize,
    /// Minimum speed of a transfer, in bytes per second.
    pub min_rate: u64,
    /// Maximum pause of a transfer.
    pub grace: Duration,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: TrustedProxies,
}

/// Host names that the service accepts.
#[derive(Debug, Clone)]
pub enum AllowedHosts {
    /// Every name.
    All,
    /// These names, in lower case and without ports.
    Listed(Vec<String>),
}

/// The clients that may change metric types.
#[derive(Debug, Clone)]
pub enum Admins {
    /// Clients that send the token.
    Token(SecretString),
    /// Every client: the service listens on a loopback address.
    Local,
    /// No client: the service listens on this address without a token.
    Nobody(SocketAddr),
}

impl AllowedHosts {
    /// Returns the loopback names.
    #[must_use]
    pub fn loopback() -> Self {
        Self::Listed(
            ["localhost", "127.0.0.1", "[::1]"]
                .map(str::to_owned)
                .to_vec(),
        )
    }
}
