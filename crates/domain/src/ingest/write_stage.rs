//! How far a write has come.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the store has been asked, for a caller that stops waiting: before that, nothing can have been stored.
#[derive(Debug, Default)]
pub struct WriteStage {
    is_in_store: AtomicBool,
}

impl WriteStage {
    /// Whether the session may be stored by now, or later.
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
