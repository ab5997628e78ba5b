//! Circuit breaker: pauses requests to Redis after a failure, so that an outage costs one timeout
//! per pause.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A circuit breaker. While it is open, Redis is not used.
pub(super) struct Breaker {
    started: Instant,
    pause: Duration,
    /// End of the current pause, in milliseconds after `started`.
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

    /// Opens the breaker. Returns true if it was closed: the caller then logs the failure.
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
