//! Settings of the REST surface, as plain values.

use std::net::SocketAddr;
use std::time::Duration;

use secrecy::SecretString;
use time_series_domain::TimeRules;
use time_series_domain::query::QueryLimits;

use crate::net::TrustedProxies;

/// Settings of the REST surface.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Threads that serve requests.
    pub workers: usize,
    /// Time that requests have to finish after a stop was requested.
    pub shutdown: Duration,
    /// Limits on connections and transfers.
    pub net: NetSettings,
    /// The values of `Host` that are served.
    pub hosts: AllowedHosts,
    /// The callers that may change metric types.
    pub admins: Admins,
    /// Maximum bytes of a body, decompressed.
    pub body_bytes: usize,
    /// Maximum bytes of all bodies in memory, half of them for bulk uploads.
    pub bytes_in_flight: usize,
    /// Maximum time that a validation or a write may be expected to wait.
    pub max_write_wait: Duration,
    /// Maximum time of a write, waiting included.
    pub write_timeout: Duration,
    /// Maximum concurrent queries.
    pub query_concurrency: usize,
    /// Maximum time that a query waits to start.
    pub query_wait: Duration,
    /// Maximum time of a query.
    pub query_timeout: Duration,
    /// Limits on the results of queries.
    pub limits: QueryLimits,
    /// Bounds on times.
    pub rules: TimeRules,
}

/// Limits on connections and transfers.
#[derive(Debug, Clone)]
pub struct NetSettings {
    /// Maximum connections.
    pub connections: usize,
    /// Maximum connections of one peer.
    pub connections_of_peer: usize,
    /// Minimum bytes per second of a transfer.
    pub min_rate: u64,
    /// Maximum pause of a transfer.
    pub grace: Duration,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: TrustedProxies,
}

/// The names under which the service is served.
#[derive(Debug, Clone)]
pub enum AllowedHosts {
    /// Any name.
    All,
    /// Names in lower case, without ports.
    Listed(Vec<String>),
}

/// The callers that may change metric types.
#[derive(Debug, Clone)]
pub enum Admins {
    /// Holders of the token.
    Token(SecretString),
    /// Every caller: the service listens on a loopback address.
    Local,
    /// None: the service listens on this address without a token.
    Nobody(SocketAddr),
}

impl AllowedHosts {
    /// The names of this machine for itself.
    #[must_use]
    pub fn loopback() -> Self {
        Self::Listed(
            ["localhost", "127.0.0.1", "[::1]"]
                .map(str::to_owned)
                .to_vec(),
        )
    }
}
