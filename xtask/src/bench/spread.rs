//! How far repeated measurements lie apart.

use serde_json::{Value, json};

/// Some percentiles of a measurement that was repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) p10: f64,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) repeats: usize,
}

impl Spread {
    /// `None` where nothing was measured.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        // The nearest one that was measured.
        let percentile = |percent: usize| values[(last * percent + 50) / 100];
        Some(Self {
            p10: percentile(10),
            p50: percentile(50),
            p90: percentile(90),
            repeats: values.len(),
        })
    }

    pub(super) fn json(&self) -> Value {
        json!({"p10": self.p10, "p50": self.p50, "p90": self.p90, "repeats": self.repeats})
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn percentiles_are_measured_values() {
        let spread = Spread::of((0..=50).rev().map(f64::from).collect());
        assert_eq!(
            spread,
            Some(Spread {
                p10: 5.0,
                p50: 25.0,
                p90: 45.0,
                repeats: 51
            })
        );
        assert_eq!(
            Spread::of(vec![7.0]),
            Some(Spread {
                p10: 7.0,
                p50: 7.0,
                p90: 7.0,
                repeats: 1
            })
        );
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
