//! [`Clock`] of the system.

use time::OffsetDateTime;
use time_series_domain::{Clock, Timestamp};

/// The system clock. No other code reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "all other code reads the time through this port"
    )]
    fn now(&self) -> Timestamp {
        OffsetDateTime::now_utc().into()
    }
}
