//! Count, sum and sum of squared deviations, as in PostgreSQL's `float8_accum` and
//! `float8_combine`.

/// n, Σx and Σ(x − mean)².
///
/// Source of the formulas: Youngs and Cramer (1971), as in PostgreSQL's `float.c`. A plain sum of
/// squares would cancel out for values near 1e9.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// The count of the numbers.
    pub n: u64,
    /// The sum of the numbers.
    pub sum: f64,
    /// The sum of the squared deviations from the mean.
    pub m2: f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
impl Moments {
    /// The moments of no numbers.
    pub const EMPTY: Self = Self {
        n: 0,
        sum: 0.0,
        m2: 0.0,
    };

    /// Adds one number.
    pub fn push(&mut self, value: f64) {
        self.n += 1;
        self.sum += value;
        if self.n > 1 {
            let n = self.n as f64;
            let deviation = value.mul_add(n, -self.sum);
            self.m2 += deviation / n * (deviation / (n - 1.0));
        }
    }

    /// Adds all numbers of `other`.
    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        if self.n == 0 {
            *self = *other;
            return;
        }
        let (n1, n2) = (self.n as f64, other.n as f64);
        let difference = self.sum / n1 - other.sum / n2;
        self.m2 += other.m2 + n1 * n2 * difference / (n1 + n2) * difference;
        self.sum += other.sum;
        self.n += other.n;
    }
}
