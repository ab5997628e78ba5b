//! How many bytes of bodies are in memory at a time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Code, Problem};

/// Bytes are counted in pieces of so many.
const PIECE: usize = 1 << 10;

/// Bounds the bytes of all bodies together. What was made of a body takes several times as much.
#[derive(Clone)]
pub(crate) struct Intake {
    pieces: Arc<Semaphore>,
    most: u32,
}

/// A body's share, until it is dropped.
pub(crate) type Share = OwnedSemaphorePermit;

impl Intake {
    pub(crate) fn new(bytes: usize) -> Self {
        let most = pieces(bytes);
        Self { pieces: Arc::new(Semaphore::new(most as usize)), most }
    }

    /// A share for so many bytes, if there is room now.
    pub(crate) fn try_take(&self, bytes: usize) -> Result<Share, Problem> {
        let taken = self.pieces.clone().try_acquire_many_owned(pieces(bytes).min(self.most));
        taken.map_err(|_| {
            let detail =
                "As many bytes of bodies are in memory as may be (MAX_BYTES_IN_FLIGHT); nothing was stored. Try again.";
            Problem::new(Code::Unavailable, detail)
        })
    }

    /// A share for so many bytes, once there is room.
    pub(crate) async fn take(&self, bytes: usize) -> Option<Share> {
        self.pieces.clone().acquire_many_owned(pieces(bytes).min(self.most)).await.ok()
    }
}

fn pieces(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PIECE)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::Intake;

    #[test]
    fn what_is_taken_comes_back() {
        let intake = Intake::new(10_000);
        let share = intake.try_take(9_000).expect("room");
        assert!(intake.try_take(2_000).is_err());
        drop(share);
        // More than there is at all goes alone.
        let all = intake.try_take(1_000_000).expect("room");
        assert!(intake.try_take(1).is_err());
        drop(all);
    }
}
