//! Statistics of a repeated measurement.

use std::time::Duration;

use serde_json::{Value, json};

/// Percentiles of a repeated measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Statistics {
    pub(super) p10: f64,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) repeats: usize,
}

impl Statistics {
    /// Returns the statistics of the values; `None` if there are none.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        // The nearest measured value.
        let percentile = |percent: usize| values[(last * percent + 50) / 100];
        Some(Self {
            p10: percentile(10),
            p50: percentile(50),
            p90: percentile(90),
            repeats: values.len(),
        })
    }

    /// Returns the statistics of one measurement.
    pub(super) const fn single(value: f64) -> Self {
        Self {
            p10: value,
            p50: value,
            p90: value,
            repeats: 1,
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({"p10": self.p10, "p50": self.p50, "p90": self.p90, "repeats": self.repeats})
    }
}

/// Converts a duration to milliseconds.
pub(super) fn milliseconds(took: Duration) -> f64 {
    1e3 * took.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::Statistics;

    #[test]
    fn percentiles_are_measured_values() {
        let statistics = Statistics::of((0..=50).rev().map(f64::from).collect());
        assert_eq!(
            statistics,
            Some(Statistics {
                p10: 5.0,
                p50: 25.0,
                p90: 45.0,
                repeats: 51
            })
        );
        assert_eq!(Statistics::of(vec![7.0]), Some(Statistics::single(7.0)));
        assert_eq!(Statistics::of(Vec::new()), None);
    }
}
