//! The budget of bytes of bodies in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::net::PeerId;
use crate::problem::{Code, Problem};

/// Bytes of bulk uploads are counted in pieces of this size.
const PIECE: usize = 1 << 10;
/// A peer may have one part in this many of the budget, so that others find room.
const PARTS_OF_BUDGET: usize = 2;

/// Bounds the bytes of all bodies together, and of those of one peer.
#[derive(Clone)]
pub(crate) struct BodyBudget {
    state: Arc<Mutex<State>>,
    most: usize,
}

#[derive(Default)]
struct State {
    bytes: usize,
    of_peers: HashMap<PeerId, usize>,
}

/// The bytes of one body, until this is dropped.
pub(crate) struct BodyPermit {
    budget: BodyBudget,
    peer: PeerId,
    bytes: usize,
}

impl BodyBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            state: Arc::default(),
            most: bytes,
        }
    }

    /// A permit for a body that has no bytes yet.
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
    /// Takes more bytes, if there is room now. A body that is larger than all the room goes alone.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let mut state = self.budget.state();
        let of_peer = state.of_peers.get(&self.peer).copied().unwrap_or(0);
        let is_alone = state.bytes == self.bytes;
        let fits = state.bytes + bytes <= self.budget.most
            && of_peer + bytes <= self.budget.most / PARTS_OF_BUDGET;
        if !fits && !is_alone {
            drop(state);
            metrics::counter!("bodies_rejected_total").increment(1);
            let detail = "Too many bytes of request bodies are being processed; nothing was stored. Retry after 1 s.";
            return Err(Problem::new(Code::Unavailable, detail));
        }
        state.bytes += bytes;
        *state.of_peers.entry(self.peer).or_default() += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for BodyPermit {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        state.bytes -= self.bytes;
        if let Some(bytes) = state.of_peers.get_mut(&self.peer) {
            *bytes -= self.bytes;
            if *bytes == 0 {
                state.of_peers.remove(&self.peer);
            }
        }
    }
}

/// Bounds the bytes of the lines of bulk uploads, which wait for room.
#[derive(Clone)]
pub(crate) struct BulkBudget {
    pieces: Arc<Semaphore>,
    most: u32,
}

/// The bytes of one line, until this is dropped.
pub(crate) type LinePermit = OwnedSemaphorePermit;

impl BulkBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        let most = pieces(bytes);
        Self {
            pieces: Arc::new(Semaphore::new(most as usize)),
            most,
        }
    }

    /// Takes the bytes of a line, once there is room.
    pub(crate) async fn take(&self, bytes: usize) -> Option<LinePermit> {
        self.pieces
            .clone()
            .acquire_many_owned(pieces(bytes).min(self.most))
            .await
            .ok()
    }
}

fn pieces(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PIECE)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn peer(number: u8) -> PeerId {
        PeerId::of(Ipv4Addr::new(127, 0, 0, number).into())
    }

    #[test]
    fn one_peer_leaves_half_of_the_room_to_others() {
        let budget = BodyBudget::new(10_000);
        let mut first = budget.permit(peer(1));
        first.grow(4_000).expect("room");
        let mut second = budget.permit(peer(1));
        assert!(second.grow(2_000).is_err());
        let mut other = budget.permit(peer(2));
        other.grow(5_000).expect("room");
        drop(first);
        second.grow(5_000).expect("room again");
        assert!(budget.permit(peer(3)).grow(1).is_err());
    }

    #[test]
    fn a_body_larger_than_all_the_room_goes_alone() {
        let budget = BodyBudget::new(10_000);
        let mut large = budget.permit(peer(1));
        large.grow(1_000_000).expect("it is alone");
        assert!(budget.permit(peer(2)).grow(1).is_err());
        drop(large);
        budget.permit(peer(2)).grow(1).expect("room");
    }
}
