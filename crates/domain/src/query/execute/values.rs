//! Retained values of a bucket, exact or as a sketch.

use sketches_ddsketch::{Config, DDSketch};

/// Relative error of a percentile of a sketch, in terms of the greater of the two values that the
/// percentile lies between.
pub const RELATIVE_ERROR: f64 = 0.005;
/// Relative error of the sketch: slightly less than [`RELATIVE_ERROR`], because logarithms are
/// rounded.
const SKETCH_ERROR: f64 = 0.0049;
/// Maximum bins of a sketch: enough for every accepted number, so that no bins are collapsed.
const SKETCH_BINS: u32 = 70_000;
/// Absolute error near zero: a sketch treats values closer to zero as zero.
pub const ABSOLUTE_ERROR: f64 = 1e-9;
/// Memory of a sketch, in units of one value.
pub(super) const SKETCH_WEIGHT: usize = 512;

/// Every value, or a sketch of them.
pub(in crate::query) enum Values {
    Exact(Vec<f64>),
    Sketch(Box<DDSketch>),
}

impl Values {
    pub(in crate::query) const fn new() -> Self {
        Self::Exact(Vec::new())
    }

    pub(in crate::query) fn push(&mut self, value: f64) {
        match self {
            Self::Exact(values) => values.push(value),
            Self::Sketch(sketch) => sketch.add(value),
        }
    }

    /// Returns the number of values, or the memory of a sketch in units of one value.
    pub(super) const fn retained(&self) -> usize {
        match self {
            Self::Exact(values) => values.len(),
            Self::Sketch(_) => SKETCH_WEIGHT,
        }
    }

    /// Replaces the values by a sketch.
    pub(super) fn sketch(&mut self) {
        if let Self::Exact(values) = self {
            let mut sketch = DDSketch::new(Config::new(SKETCH_ERROR, SKETCH_BINS, ABSOLUTE_ERROR));
            for value in values.iter() {
                sketch.add(*value);
            }
            *self = Self::Sketch(Box::new(sketch));
        }
    }

    pub(in crate::query) const fn is_approximate(&self) -> bool {
        matches!(self, Self::Sketch(_))
    }

    /// Returns the percentile at each fraction, interpolated as by PostgreSQL's `percentile_cont`;
    /// `None` without values.
    pub(in crate::query) fn percentiles(&mut self, fractions: &[f64]) -> Option<Vec<f64>> {
        match self {
            Self::Exact(values) => percentiles(values, fractions),
            Self::Sketch(sketch) => fractions.iter().map(|f| sketched(sketch, *f)).collect(),
        }
    }

    /// Returns the values in ascending order; `None` for a sketch.
    pub(in crate::query) fn sorted(&mut self) -> Option<&[f64]> {
        match self {
            Self::Exact(values) => {
                values.sort_unstable_by(f64::total_cmp);
                Some(values)
            }
            Self::Sketch(_) => None,
        }
    }
}

/// Returns the ranks below and above a fraction, and its distance from the lower one.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks are far below 2^53 and not negative"
)]
fn ranks(len: usize, fraction: f64) -> (usize, usize, f64) {
    let at = fraction * (len - 1) as f64;
    (at.floor() as usize, at.ceil() as usize, at - at.floor())
}

fn percentiles(values: &mut [f64], fractions: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() {
        return None;
    }
    let mut wanted: Vec<usize> = Vec::with_capacity(2 * fractions.len());
    for fraction in fractions {
        let (below, above, _) = ranks(values.len(), *fraction);
        wanted.extend([below, above]);
    }
    wanted.sort_unstable();
    wanted.dedup();
    select(values, 0, &wanted);
    let at = |fraction: &f64| {
        let (below, above, between) = ranks(values.len(), *fraction);
        values[below] + between * (values[above] - values[below])
    };
    Some(fractions.iter().map(at).collect())
}

/// Moves the values of these ascending ranks, counted from `offset`, to their sorted positions.
fn select(values: &mut [f64], offset: usize, ranks: &[usize]) {
    if ranks.is_empty() || values.len() < 2 {
        return;
    }
    let middle = ranks.len() / 2;
    let index = ranks[middle] - offset;
    let (left, _, right) = values.select_nth_unstable_by(index, f64::total_cmp);
    select(left, offset, &ranks[..middle]);
    select(right, offset + index + 1, &ranks[middle + 1..]);
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn sketched(sketch: &DDSketch, fraction: f64) -> Option<f64> {
    let count = sketch.count();
    let (below, above, between) = ranks(count.max(1), fraction);
    // Half a rank is added because the sketch rounds down.
    let value = |rank: usize| match rank {
        0 => sketch.min(),
        last if last + 1 >= count => sketch.max(),
        rank => sketch
            .quantile((rank as f64 + 0.5) / (count - 1) as f64)
            .ok()?,
    };
    let (below, above) = (value(below)?, value(above)?);
    Some(between.mul_add(above - below, below))
}

/// Returns the runs of equal values in an ascending list, with their lengths. -0.0 equals 0.0.
pub(in crate::query) fn runs(sorted: &[f64]) -> impl Iterator<Item = (f64, usize)> + '_ {
    #[expect(clippy::float_cmp, reason = "runs consist of exactly equal values")]
    let same = |a: &f64, b: &f64| a == b;
    sorted.chunk_by(same).map(|slice| (slice[0], slice.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Values {
        Values::Exact(values.to_vec())
    }

    #[test]
    fn percentiles_equal_those_of_percentile_cont() {
        // select percentile_cont(array[0, 0.1, 0.5, 0.9, 1]) within group (order by x)
        // from unnest(array[4, 1, 3, 2]) x
        let actual = of(&[4.0, 1.0, 3.0, 2.0]).percentiles(&[0.0, 0.1, 0.5, 0.9, 1.0]);
        assert_eq!(actual, Some(vec![1.0, 1.3, 2.5, 3.7, 4.0]));
        assert_eq!(of(&[]).percentiles(&[0.5]), None);
    }

    proptest! {
        #[test]
        fn selection_equals_sorting(
            mut values in prop::collection::vec(-1e3..1e3_f64, 1..200),
            fractions in prop::collection::vec(0.0..=1.0_f64, 1..9),
        ) {
            let actual = of(&values).percentiles(&fractions).expect("not empty");
            values.sort_unstable_by(f64::total_cmp);
            for (fraction, actual) in fractions.iter().zip(actual) {
                let (below, above, between) = ranks(values.len(), *fraction);
                let expected = values[below] + between * (values[above] - values[below]);
                prop_assert!((expected - actual).abs() <= f64::EPSILON);
            }
        }

        #[test]
        fn a_percentile_of_a_sketch_is_within_its_error(
            values in prop::collection::vec(
                prop_oneof![-1e9..-1e-6_f64, Just(0.0), 1e-6..1e9_f64],
                1..300,
            ),
            fraction in 0.0..=1.0_f64,
        ) {
            let mut sketch = of(&values);
            sketch.sketch();
            let actual = sketch.percentiles(&[fraction]).expect("not empty")[0];
            let exact = of(&values).percentiles(&[fraction]).expect("not empty")[0];
            let mut sorted = values;
            sorted.sort_unstable_by(f64::total_cmp);
            let (below, above, _) = ranks(sorted.len(), fraction);
            let greater = sorted[below].abs().max(sorted[above].abs());
            let error = RELATIVE_ERROR * greater + ABSOLUTE_ERROR;
            prop_assert!((actual - exact).abs() <= error, "{actual} for {exact}");
        }
    }
}
