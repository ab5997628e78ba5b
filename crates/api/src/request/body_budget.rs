//! Limits on the bytes of request bodies in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::net::PeerId;
use crate::problem::{Code, Problem};

/// Unit in which the bytes of bulk uploads are counted.
const UNIT_BYTES: usize = 1 << 10;
/// Divisor of the budget: one peer can use one half of it.
const SHARE_DIVISOR: usize = 2;

/// Limits the bytes of all bodies together, and of the bodies of one peer.
#[derive(Clone)]
pub(crate) struct BodyBudget {
    state: Arc<Mutex<State>>,
    max_bytes: usize,
}

#[derive(Default)]
struct State {
    bytes: usize,
    bytes_of_peers: HashMap<PeerId, usize>,
}

/// The bytes that one body occupies, until the permit is dropped.
pub(crate) struct BodyPermit {
    budget: BodyBudget,
    peer: PeerId,
    bytes: usize,
}

impl BodyBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            state: Arc::default(),
            max_bytes: bytes,
        }
    }

    /// Returns a permit of zero bytes.
    pub(crate) fn permit(&self, peer: PeerId) -> BodyPermit {
        BodyPermit {
            budget: self.clone(),
            peer,
            bytes: 0,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BodyPermit {
    /// Adds bytes to the permit if the budget has room. A body larger than the whole budget is
    /// accepted only while there are no other bodies.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let mut state = self.budget.state();
        let peer_bytes = state.bytes_of_peers.get(&self.peer).copied().unwrap_or(0);
        let is_alone = state.bytes == self.bytes;
        let fits = state.bytes + bytes <= self.budget.max_bytes
            && peer_bytes + bytes <= self.budget.max_bytes / SHARE_DIVISOR;
        if !fits && !is_alone {
            drop(state);
            metrics::counter!("bodies_rejected_total").increment(1);
            let detail = "Too many bytes of request bodies are being processed; nothing was \
                          stored. Retry after 1 s.";
            return Err(Problem::new(Code::Unavailable, detail));
        }
        state.bytes += bytes;
        *state.bytes_of_peers.entry(self.peer).or_default() += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for BodyPermit {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        state.bytes -= self.bytes;
        if let Some(bytes) = state.bytes_of_peers.get_mut(&self.peer) {
            *bytes -= self.bytes;
            if *bytes == 0 {
                state.bytes_of_peers.remove(&self.peer);
            }
        }
    }
}

/// Limits the bytes of the lines of bulk uploads. Lines wait until the budget has room.
#[derive(Clone)]
pub(crate) struct BulkBudget {
    units: Arc<Semaphore>,
    max_units: u32,
}

/// The bytes that one line occupies, until the permit is dropped.
pub(crate) type LinePermit = OwnedSemaphorePermit;

impl BulkBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        let max_units = units(bytes);
        Self {
            units: Arc::new(Semaphore::new(max_units as usize)),
            max_units,
        }
    }

    /// Waits until the budget has room for the bytes of a line, and acquires them.
    pub(crate) async fn acquire(&self, bytes: usize) -> Option<LinePermit> {
        self.units
            .clone()
            .acquire_many_owned(units(bytes).min(self.max_units))
            .await
            .ok()
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn peer(number: u8) -> PeerId {
        PeerId::of(Ipv4Addr::new(127, 0, 0, number).into())
    }

    #[test]
    fn one_peer_can_use_half_of_the_budget() {
        let budget = BodyBudget::new(10_000);
        let mut first = budget.permit(peer(1));
        first.grow(4_000).expect("room");
        let mut second = budget.permit(peer(1));
        assert!(second.grow(2_000).is_err());
        let mut other = budget.permit(peer(2));
        other.grow(5_000).expect("room");
        drop(first);
        second.grow(5_000).expect("room after the first body ended");
        assert!(budget.permit(peer(3)).grow(1).is_err());
    }

    #[test]
    fn a_body_larger_than_the_budget_is_accepted_only_alone() {
        let budget = BodyBudget::new(10_000);
        let mut large = budget.permit(peer(1));
        large.grow(1_000_000).expect("no other body");
        assert!(budget.permit(peer(2)).grow(1).is_err());
        drop(large);
        budget.permit(peer(2)).grow(1).expect("room");
    }
}
