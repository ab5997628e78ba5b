//! Minimum speed of a transfer.

use std::time::Duration;

use crate::settings::NetSettings;

/// Limits on the speed of the other side of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PaceLimit {
    /// Minimum bytes per second.
    pub(crate) rate: u64,
    /// Maximum pause.
    pub(crate) grace: Duration,
}

/// The remaining wait of one transfer. Waiting for the other side reduces it, and each transferred
/// byte restores some of it, up to the grace. No period longer than the grace is therefore slower
/// than the minimum rate.
#[derive(Debug)]
pub(crate) struct Pace {
    limit: PaceLimit,
    left: Duration,
}

impl PaceLimit {
    pub(crate) const fn of(settings: &NetSettings) -> Self {
        Self {
            rate: settings.min_rate,
            grace: settings.grace,
        }
    }
}

impl Pace {
    pub(crate) const fn new(limit: PaceLimit) -> Self {
        Self {
            limit,
            left: limit.grace,
        }
    }

    /// Returns the remaining wait.
    pub(crate) const fn left(&self) -> Duration {
        self.left
    }

    /// Deducts time that was spent waiting for the other side.
    pub(crate) const fn waited(&mut self, time: Duration) {
        self.left = self.left.saturating_sub(time);
    }

    /// Restores time for transferred bytes.
    pub(crate) fn moved(&mut self, bytes: usize) {
        let nanos = u128::from(bytes as u64) * 1_000_000_000 / u128::from(self.limit.rate.max(1));
        let earned = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.left = self.left.saturating_add(earned).min(self.limit.grace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: PaceLimit = PaceLimit {
        rate: 1_000,
        grace: Duration::from_secs(10),
    };

    #[test]
    fn a_transfer_at_the_minimum_rate_continues_and_a_slower_one_ends() {
        let mut pace = Pace::new(LIMIT);
        for _ in 0..1_000 {
            pace.waited(Duration::from_secs(1));
            pace.moved(1_000);
        }
        assert_eq!(pace.left(), LIMIT.grace);
        let mut seconds = 0;
        while !pace.left().is_zero() {
            pace.waited(Duration::from_secs(1));
            if !pace.left().is_zero() {
                pace.moved(500);
            }
            seconds += 1;
        }
        assert_eq!(
            seconds, 19,
            "half the rate uses up the grace in about twice its length"
        );
    }

    #[test]
    fn a_burst_does_not_extend_the_grace() {
        let mut pace = Pace::new(LIMIT);
        pace.moved(64 << 20);
        assert_eq!(pace.left(), LIMIT.grace);
    }
}
