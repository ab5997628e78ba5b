//! Decimal scales: numbers as integers over a power of ten.

/// Maximum decimal scale. Integers of a larger scale would not fit 32 bits.
pub(super) const MAX_SCALE: usize = 9;
const POWERS_OF_TEN: [f64; MAX_SCALE + 1] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// Returns the number of a scaled integer: integer / 10^scale.
#[inline]
pub(super) fn unscaled(integer: i32, scale: u8) -> f64 {
    if scale == 0 {
        return f64::from(integer);
    }
    f64::from(integer) / POWERS_OF_TEN[usize::from(scale)]
}

/// Returns the scaled integer of a number: number × 10^scale.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the result of `decimal_scale` fits 32 bits"
)]
pub(super) fn scaled_integer(value: f64, scale: u8) -> i32 {
    (value * POWERS_OF_TEN[usize::from(scale)]).round() as i32
}

/// Returns the smallest scale at which every number is exactly a 32-bit integer over a power of
/// ten.
pub(super) fn decimal_scale(column: &[Option<f64>]) -> Option<u8> {
    let mut scale = 0_u8;
    for value in column.iter().flatten() {
        // A number that is exact at a scale is exact at every larger one: the scale never
        // decreases.
        while !is_exact_at(*value, scale) {
            scale += 1;
            if usize::from(scale) > MAX_SCALE {
                return None;
            }
        }
    }
    let fits = |v: &f64| (v * POWERS_OF_TEN[usize::from(scale)]).abs() < f64::from(i32::MAX);
    column.iter().flatten().all(fits).then_some(scale)
}

/// Returns whether a number is exactly a 32-bit integer / 10^scale.
fn is_exact_at(value: f64, scale: u8) -> bool {
    let power = POWERS_OF_TEN[usize::from(scale)];
    let integer = (value * power).round();
    // Integers cannot represent negative zero.
    let negative_zero = integer == 0.0 && integer.is_sign_negative();
    !negative_zero
        && integer.abs() < f64::from(i32::MAX)
        && (integer / power).to_bits() == value.to_bits()
}
