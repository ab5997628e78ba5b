//! The clock port: the only source of the current time for the domain.

use crate::Timestamp;

/// A source of the current time. Injected, so that tests decide what "now" is.
pub trait Clock: Send + Sync {
    /// Returns the current instant (UTC, microseconds).
    fn now(&self) -> Timestamp;
}

/// A clock that always returns the same instant, for tests and replays.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
