//! Sums and standard deviations, and the rounding errors that an implementation may have.

use crate::model::expected::Bounds;

/// Returns a compensated sum (Neumaier).
pub(crate) fn total(numbers: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for number in numbers {
        let next = sum + number;
        lost += if sum.abs() >= number.abs() {
            (sum - next) + number
        } else {
            (number - next) + sum
        };
        sum = next;
    }
    sum + lost
}

/// Returns the maximum error of a sum in any order of addition: 2ε·n·Σ|x|.
pub(crate) fn sum_tolerance(numbers: &[f64]) -> f64 {
    let magnitudes: Vec<f64> = numbers.iter().map(|x| x.abs()).collect();
    2.0 * f64::EPSILON * numbers.len() as f64 * total(&magnitudes)
}

/// Returns the sample standard deviation of at least two numbers.
pub(crate) fn stddev(numbers: &[f64]) -> Bounds {
    let n = numbers.len() as f64;
    let mean = total(numbers) / n;
    let deviations: Vec<f64> = numbers.iter().map(|x| x - mean).collect();
    let squares: Vec<f64> = deviations.iter().map(|d| d * d).collect();
    let m2 = (total(&squares) - total(&deviations).powi(2) / n).max(0.0);
    // The maximum error of updating a sum of squared deviations, with ε = 8·machine epsilon:
    // ε·n·(m2 + √(m2·Σx²)) + (ε·n)²·Σx².
    let sum_of_squares: f64 = numbers.iter().map(|x| x * x).sum();
    let epsilon = 8.0 * f64::EPSILON * n;
    let error =
        epsilon * (m2 + m2.sqrt() * sum_of_squares.sqrt()) + epsilon * epsilon * sum_of_squares;
    let deviation = (m2 / (n - 1.0)).sqrt();
    let above = ((m2 + error) / (n - 1.0)).sqrt() - deviation;
    let below = deviation - ((m2 - error).max(0.0) / (n - 1.0)).sqrt();
    // Squares of numbers below 1e-160 underflow.
    let tolerance = above.max(below) + 1e-155;
    Bounds {
        lower: (deviation - tolerance).max(0.0),
        upper: deviation + tolerance,
    }
}
