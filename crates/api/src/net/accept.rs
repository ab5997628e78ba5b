//! Accepts connections within the limits on their number.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::rt::net::TcpStream;

use super::connection::Connection;
use super::{PaceLimit, PeerId};
use crate::settings::NetSettings;

/// Counts the connections of each peer.
#[derive(Default)]
pub(crate) struct ConnectionLimits(Mutex<HashMap<PeerId, usize>>);

/// Permission for one connection. It counts until it is dropped.
pub(super) struct ConnectionPermit {
    limits: Arc<ConnectionLimits>,
    peer: PeerId,
}

/// Accepts connections within the limits.
#[derive(Clone)]
pub(crate) struct Acceptor {
    limits: NetSettings,
    open: Arc<ConnectionLimits>,
}

impl Acceptor {
    pub(crate) fn new(limits: NetSettings) -> Self {
        Self {
            limits,
            open: Arc::default(),
        }
    }

    /// Returns the connection, or `None` if there are too many.
    pub(crate) fn accept(&self, io: TcpStream) -> Option<Connection> {
        let address = io.peer_addr().ok()?.ip();
        let permit = self.permit(address)?;
        Some(Connection::new(io, PaceLimit::of(&self.limits), permit))
    }

    fn permit(&self, address: IpAddr) -> Option<ConnectionPermit> {
        let peer = PeerId::of(address);
        let mut open = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let peer_connections = open.get(&peer).copied().unwrap_or(0);
        let is_peer_full = peer_connections >= self.limits.max_connections_per_peer
            && !self.limits.trusted_proxies.contains(address);
        if is_peer_full || all >= self.limits.max_connections {
            metrics::counter!("connections_rejected_total").increment(1);
            return None;
        }
        open.insert(peer, peer_connections + 1);
        Some(ConnectionPermit {
            limits: self.open.clone(),
            peer,
        })
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.limits.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn connections_are_limited_in_all_and_per_peer() {
        let trusted_proxies = "127.0.0.9".parse().expect("valid proxies");
        let acceptor = Acceptor::new(NetSettings {
            max_connections: 4,
            max_connections_per_peer: 2,
            min_rate: 1,
            grace: Duration::from_secs(1),
            trusted_proxies,
        });
        let permit = |address: &str| acceptor.permit(address.parse().expect("valid address"));
        let first = permit("127.0.0.2");
        let second = permit("127.0.0.2");
        assert!(first.is_some() && second.is_some() && permit("127.0.0.2").is_none());
        let proxy_permits: Vec<Option<ConnectionPermit>> =
            (0..3).map(|_| permit("127.0.0.9")).collect();
        // The proxy has no limit of its own; two of the four connections are left.
        assert_eq!(proxy_permits.iter().flatten().count(), 2);
        drop(first);
        assert!(permit("127.0.0.2").is_some());
    }
}
