//! After a failure, leaves Redis alone for a while, so that its absence costs one short wait and not many.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Open: do not ask. Closed: ask.
pub(super) struct Breaker {
    started: Instant,
    pause: Duration,
    /// Milliseconds after `started` until which it is open.
    open_until: AtomicU64,
}

impl Breaker {
    pub(super) fn new(pause: Duration) -> Self {
        Self {
            started: Instant::now(),
            pause,
            open_until: AtomicU64::new(0),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.elapsed() < self.open_until.load(Ordering::Relaxed)
    }

    /// Opens it; true if it was closed, so that a failure is logged once and not a thousand times.
    pub(super) fn open(&self) -> bool {
        let was_open = self.is_open();
        let pause = u64::try_from(self.pause.as_millis()).unwrap_or(u64::MAX);
        self.open_until
            .store(self.elapsed().saturating_add(pause), Ordering::Relaxed);
        !was_open
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
