//! Progress of a write, for callers that stop waiting for it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Progress of a write. Before the store is called, nothing can have been stored.
#[derive(Debug, Default)]
pub struct WriteStage {
    is_in_store: AtomicBool,
}

impl WriteStage {
    /// Returns whether the change may be stored, now or later.
    #[must_use]
    pub fn may_be_stored(&self) -> bool {
        self.is_in_store.load(Ordering::Relaxed)
    }

    /// Records that the store is called.
    pub fn enter_store(&self) {
        self.is_in_store.store(true, Ordering::Relaxed);
    }

    /// Records that the store has returned.
    pub(super) fn leave_store(&self) {
        self.is_in_store.store(false, Ordering::Relaxed);
    }
}
