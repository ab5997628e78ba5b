//! UTC calendar days.

use super::{MICROS_PER_DAY, Timestamp};

/// A UTC calendar day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcDay(pub i64);

impl UtcDay {
    /// Returns the first instant of the day.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(MICROS_PER_DAY))
    }

    /// Returns the first day that starts at or after `t`.
    #[must_use]
    pub const fn ceil(t: Timestamp) -> Self {
        Self(
            t.micros().div_euclid(MICROS_PER_DAY)
                + (t.micros().rem_euclid(MICROS_PER_DAY) != 0) as i64,
        )
    }

    /// Returns the following day.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_before_1970_round_down() {
        assert_eq!(Timestamp::from_micros(-1).utc_day(), UtcDay(-1));
        assert_eq!(UtcDay::ceil(Timestamp::from_micros(-1)), UtcDay(0));
        assert_eq!(UtcDay::ceil(Timestamp::EPOCH), UtcDay(0));
        assert_eq!(UtcDay::ceil(Timestamp::from_micros(1)), UtcDay(1));
    }
}
