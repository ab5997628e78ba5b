//! The measured rate of writes, from which the wait of a new write is estimated.

use std::time::{Duration, Instant};

/// Minimum length of one measurement.
const MIN_PERIOD: Duration = Duration::from_millis(250);
/// Weight of the newest measurement in the moving average.
const SMOOTHING: f64 = 0.3;

/// Moving average of the bytes written per second while writes wait.
#[derive(Default)]
pub(super) struct WriteRate {
    /// `None` before the first measurement.
    bytes_per_second: Option<f64>,
    /// Start of the current measurement, and the bytes written since.
    current: Option<(Instant, u64)>,
}

impl WriteRate {
    /// Starts a measurement if none is running.
    pub(super) fn start(&mut self) {
        self.current.get_or_insert_with(|| (Instant::now(), 0));
    }

    /// Adds written bytes. `is_idle` ends the measurement: no write waits.
    pub(super) fn add(&mut self, bytes: u64, is_idle: bool) {
        if let Some((start, written)) = &mut self.current {
            *written += bytes;
            let (start, written) = (*start, *written);
            if start.elapsed() >= MIN_PERIOD {
                self.record(written, start.elapsed());
                self.current = Some((Instant::now(), 0));
            }
        }
        if is_idle {
            self.current = None;
        }
    }

    /// Returns the expected time to write these bytes; zero before the first measurement.
    pub(super) fn time_of(&self, bytes: u64) -> Duration {
        let Some(rate) = self.bytes_per_second else {
            return Duration::ZERO;
        };
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = bytes as f64 / rate.max(1.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    fn record(&mut self, bytes: u64, period: Duration) {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let measured = bytes as f64 / period.as_secs_f64();
        let average = self.bytes_per_second.unwrap_or(measured);
        self.bytes_per_second = Some(average + SMOOTHING * (measured - average));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_measurement_sets_the_rate_and_later_ones_are_smoothed() {
        let mut rate = WriteRate::default();
        assert_eq!(rate.time_of(1_000), Duration::ZERO);
        rate.record(1_000, Duration::from_secs(1));
        assert_eq!(rate.time_of(2_000), Duration::from_secs(2));
        rate.record(2_000, Duration::from_secs(1));
        assert_eq!(rate.time_of(1_300), Duration::from_secs(1));
    }
}
