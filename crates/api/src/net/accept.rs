//! Takes connections in, as many as there may be.

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

/// The place of a connection among all, until it is dropped.
pub(super) struct Slot {
    limits: Arc<ConnectionLimits>,
    peer: PeerId,
}

/// Takes connections in.
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

    /// The connection, unless there are too many.
    pub(crate) fn accept(&self, io: TcpStream) -> Option<Connection> {
        let address = io.peer_addr().ok()?.ip();
        let slot = self.slot(address)?;
        Some(Connection::new(io, PaceLimit::of(&self.limits), slot))
    }

    fn slot(&self, address: IpAddr) -> Option<Slot> {
        let peer = PeerId::of(address);
        let mut open = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let of_peer = open.get(&peer).copied().unwrap_or(0);
        let is_full = of_peer >= self.limits.connections_of_peer
            && !self.limits.trusted_proxies.contains(address);
        if is_full || all >= self.limits.connections {
            metrics::counter!("connections_rejected_total").increment(1);
            return None;
        }
        open.insert(peer, of_peer + 1);
        Some(Slot {
            limits: self.open.clone(),
            peer,
        })
    }
}

impl Drop for Slot {
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
    fn a_peer_has_so_many_connections_and_no_more() {
        let trusted_proxies = "127.0.0.9".parse().expect("proxies");
        let acceptor = Acceptor::new(NetSettings {
            connections: 4,
            connections_of_peer: 2,
            min_rate: 1,
            grace: Duration::from_secs(1),
            trusted_proxies,
        });
        let slot = |address: &str| acceptor.slot(address.parse().expect("an address"));
        let first = slot("127.0.0.2");
        let second = slot("127.0.0.2");
        assert!(first.is_some() && second.is_some() && slot("127.0.0.2").is_none());
        let of_proxy: Vec<Option<Slot>> = (0..3).map(|_| slot("127.0.0.9")).collect();
        assert_eq!(of_proxy.iter().flatten().count(), 2); // all four
        drop(first);
        assert!(slot("127.0.0.2").is_some());
    }
}
