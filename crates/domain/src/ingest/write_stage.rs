//! How far a write has come.

use std::sync::atomic::{AtomicBool, Ordering};

/// Stage of a write, for a caller that stops waiting: before the store is called, nothing can have been stored.
#[derive(Debug, Default)]
pub struct WriteStage {
    is_in_store: AtomicBool,
}

impl WriteStage {
    /// Returns true if the session may be stored, now or later.
    #[must_use]
    pub fn may_be_stored(&self) -> bool {
        self.is_in_store.load(Ordering::Relaxed)
    }

    /// The store is being asked.
    pub fn enter_store(&self) {
        self.is_in_store.store(true, Ordering::Relaxed);
    }

    /// The store has answered.
    pub(super) fn leave_store(&self) {
        self.is_in_store.store(false, Ordering::Relaxed);
    }
}
