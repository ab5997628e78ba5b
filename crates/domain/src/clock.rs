//! The clock port: the only way the domain learns what time it is.

use crate::Timestamp;

/// Tells the current instant. Injected, so that tests decide what "now" is.
pub trait Clock: Send + Sync {
    /// The current instant, UTC, to the microsecond.
    fn now(&self) -> Timestamp;
}

/// A clock that always tells the same instant: for tests and replays.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
