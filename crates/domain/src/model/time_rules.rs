//! Bounds on the times of a session and its points.

use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::{Timestamp, UtcDay};

/// Maximum days that stored points may lie ahead of the clock, under any earlier rules.
const DAYS_EVER_AHEAD: i64 = 400;

/// Bounds on times. A session with points spread over decades creates thousands of partitions and
/// can take a server down, so implausible times are rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRules {
    /// Maximum days that a point may lie before `start_ts`.
    pub days_before_start: i64,
    /// Maximum days that a point may lie after `start_ts`, or else after the first point.
    pub days_after_start: i64,
    /// Maximum days that any time may lie ahead of the server's clock.
    pub days_ahead_of_clock: i64,
}

impl Default for TimeRules {
    fn default() -> Self {
        Self {
            days_before_start: 1,
            days_after_start: 31,
            days_ahead_of_clock: 1,
        }
    }
}

/// Error of an implausible time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeRuleError {
    /// Before 1970.
    #[error("is before 1970-01-01T00:00:00Z; check the clock and the unit of the timestamp")]
    BeforeEpoch,
    /// Ahead of the server's clock.
    #[error(
        "is more than {days} day(s) ahead of the server's clock; the latest accepted is {latest}"
    )]
    AheadOfClock {
        /// Maximum days ahead.
        days: i64,
        /// The latest time that is accepted now.
        latest: Timestamp,
    },
    /// Too far from the session's start.
    #[error("is not between {earliest} and {latest}, where the points of this session may lie")]
    FarFromStart {
        /// The earliest time accepted in this session.
        earliest: Timestamp,
        /// The latest time accepted in this session.
        latest: Timestamp,
    },
}

impl TimeRules {
    /// Checks a time against the epoch and the server's clock, `now`.
    ///
    /// # Errors
    /// [`TimeRuleError`] naming the bound.
    pub fn check(&self, t: Timestamp, now: Timestamp) -> Result<(), TimeRuleError> {
        if t < Timestamp::EPOCH {
            return Err(TimeRuleError::BeforeEpoch);
        }
        let latest = now.plus_days(self.days_ahead_of_clock);
        if t > latest {
            return Err(TimeRuleError::AheadOfClock {
                days: self.days_ahead_of_clock,
                latest,
            });
        }
        Ok(())
    }

    /// Returns the half-open range, in whole days, of all times that any rules accept or accepted.
    #[must_use]
    pub fn possible(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        // Wider than the rules: another server's clock may be ahead, and earlier rules may have
        // been wider.
        let latest = now.plus_days(self.days_ahead_of_clock.max(DAYS_EVER_AHEAD) + 1);
        (Timestamp::EPOCH, UtcDay::ceil(latest).start())
    }
}

impl Fingerprinted for TimeRules {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self {
            days_before_start,
            days_after_start,
            days_ahead_of_clock,
        } = self;
        hasher
            .field("days_before_start", days_before_start)
            .field("days_after_start", days_after_start)
            .field("days_ahead_of_clock", days_ahead_of_clock);
    }
}
