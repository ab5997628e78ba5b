//! Which times a session's points may have.

use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::{Timestamp, UtcDay};

/// Stored points may lie so far ahead of the clock, whatever the rules are now.
const DAYS_EVER_AHEAD: i64 = 400;

/// Bounds on times. One session with points spread over decades once made thousands of
/// partitions and took a server down, so implausible times are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRules {
    /// How many days before `start_ts` a point may lie.
    pub days_before_start: i64,
    /// How many days after `start_ts`, or after the first point, a point may lie.
    pub days_after_start: i64,
    /// How many days ahead of the server's clock any time may lie.
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

/// How a time is implausible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeRuleError {
    /// Before 1970.
    #[error("is before 1970-01-01T00:00:00Z; check the clock or the unit it was made from")]
    BeforeEpoch,
    /// Ahead of the server's clock.
    #[error(
        "is more than {days} day(s) ahead of the server's clock; the latest accepted is {latest}"
    )]
    AheadOfClock {
        /// How far ahead is allowed.
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
    /// Checks a time by itself, `now` being the server's clock.
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

    /// Checks a point's time against its session's start, or against the session's first point.
    ///
    /// # Errors
    /// [`TimeRuleError::FarFromStart`] with both bounds.
    pub fn check_in_session(
        &self,
        t: Timestamp,
        start_ts: Option<Timestamp>,
        first: Timestamp,
    ) -> Result<(), TimeRuleError> {
        let (earliest, latest) = match start_ts {
            Some(start) => (
                start.plus_days(-self.days_before_start),
                start.plus_days(self.days_after_start),
            ),
            None => (first, first.plus_days(self.days_after_start)),
        };
        Self::check_in_window(t, Some((earliest, latest)))
    }

    /// Checks a point's time against where the points of its session may lie, if anything bounds them.
    ///
    /// # Errors
    /// [`TimeRuleError::FarFromStart`] with both bounds.
    pub fn check_in_window(
        t: Timestamp,
        window: Option<(Timestamp, Timestamp)>,
    ) -> Result<(), TimeRuleError> {
        match window {
            Some((earliest, latest)) if !(earliest..=latest).contains(&t) => {
                Err(TimeRuleError::FarFromStart { earliest, latest })
            }
            _ => Ok(()),
        }
    }

    /// The half-open range that holds every time these rules ever accept, whole days.
    #[must_use]
    pub fn possible(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        // Wider than the rules: another server's clock may be ahead of ours, and the rules were others once.
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
