//! JSON numbers: the nearest double, and the exact decimal if it differs from the double.

use std::fmt;
use std::str::FromStr;

/// Maximum magnitude of a number. Sums of squares of larger numbers could overflow a double.
pub const MAX_MAGNITUDE: f64 = 1e140;

/// Maximum length of a number, in characters. PostgreSQL's `numeric` has up to 16,383 digits after
/// the decimal point.
const MAX_TEXT: usize = 1_000;
/// Minimum decimal exponent of an exact decimal.
const MIN_EXPONENT: i64 = -5_000;
/// Any decimal of at most this many digits round-trips through a normal double (IEEE 754).
const DIGITS_ALWAYS_EXACT: usize = 15;

/// A JSON number that prints as the same decimal that was parsed, in canonical form: `7.0` as `7`.
#[derive(Debug, Clone)]
pub struct Number {
    value: f64,
    exact: Option<Box<str>>,
}

/// The text or number is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a number in the JSON grammar.
    #[error("is not a JSON number")]
    Syntax,
    /// Beyond ±1e140.
    #[error("is beyond ±1e140, the largest magnitude that can be aggregated")]
    TooLarge,
    /// Longer than 1,000 characters, or with an exponent below -5000.
    #[error("has more digits than can be kept (1,000 characters, exponents down to -5000)")]
    TooLong,
}

impl Number {
    /// Creates a number that is exactly a double.
    ///
    /// # Errors
    /// [`NumberError::TooLarge`] beyond ±1e140 and for NaN.
    pub fn from_f64(value: f64) -> Result<Self, NumberError> {
        if value.abs() <= MAX_MAGNITUDE {
            Ok(Self { value, exact: None })
        } else {
            Err(NumberError::TooLarge)
        }
    }

    /// Parses a number in the JSON grammar (RFC 8259).
    ///
    /// # Errors
    /// [`NumberError`]; a number is never rounded without its exact decimal.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        Self::parse_up_to(text, MAX_TEXT)
    }

    /// Parses the printed text of an accepted number, which may be longer than the accepted text.
    pub(super) fn parse_printed(text: &str) -> Result<Self, NumberError> {
        Self::parse_up_to(text, 2 * MAX_TEXT)
    }

    fn parse_up_to(text: &str, max_len: usize) -> Result<Self, NumberError> {
        if text.len() > max_len {
            return Err(NumberError::TooLong);
        }
        let value: f64 = text.parse().map_err(|_| NumberError::Syntax)?;
        if value.is_nan() || value.abs() > MAX_MAGNITUDE {
            return Err(NumberError::TooLarge);
        }
        let mut digits = text
            .bytes()
            .take_while(|b| !matches!(b, b'e' | b'E'))
            .filter(u8::is_ascii_digit);
        let is_exact = if value == 0.0 {
            digits.all(|digit| digit == b'0')
        } else {
            value.is_normal() && digits.count() <= DIGITS_ALWAYS_EXACT
        };
        if is_exact {
            return Ok(Self { value, exact: None });
        }
        let decimal = Decimal::parse(text).ok_or(NumberError::Syntax)?;
        if decimal.exponent < MIN_EXPONENT {
            return Err(NumberError::TooLong);
        }
        if decimal.exceeds_max_magnitude() {
            return Err(NumberError::TooLarge);
        }
        let nearest = Decimal::parse(&shortest(value)).ok_or(NumberError::Syntax)?;
        let exact = (decimal != nearest).then(|| decimal.to_string().into_boxed_str());
        Ok(Self { value, exact })
    }

    /// Returns the nearest double.
    #[must_use]
    pub const fn as_f64(&self) -> f64 {
        self.value
    }

    /// Returns whether [`Self::as_f64`] is the exact number.
    #[must_use]
    pub const fn is_exactly_f64(&self) -> bool {
        self.exact.is_none()
    }

    /// Returns the canonical decimal of a number that is not exactly a double.
    #[must_use]
    pub fn exact_decimal(&self) -> Option<&str> {
        self.exact.as_deref()
    }
}

impl PartialEq for Number {
    /// Compares bits, so that `-0.0` differs from `0.0`.
    fn eq(&self, other: &Self) -> bool {
        self.value.to_bits() == other.value.to_bits() && self.exact == other.exact
    }
}

impl Eq for Number {}

impl FromStr for Number {
    type Err = NumberError;

    /// Parses as [`Number::parse`] does.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse(text)
    }
}

impl TryFrom<f64> for Number {
    type Error = NumberError;

    /// Converts as [`Number::from_f64`] does.
    fn try_from(value: f64) -> Result<Self, NumberError> {
        Self::from_f64(value)
    }
}

impl fmt::Display for Number {
    /// The canonical decimal, in the JSON grammar.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.exact {
            Some(decimal) => f.write_str(decimal),
            None => f.write_str(&shortest(self.value)),
        }
    }
}

/// Formats the shortest decimal that parses to the same double; whole numbers without a point.
fn shortest(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 && (value != 0.0 || value.is_sign_positive()) {
        format!("{value:.0}")
    } else {
        format!("{value:?}")
    }
}

/// A decimal: sign × digits × 10^exponent, without leading and trailing zeros in the digits.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let trimmed = digits.trim_end_matches('0');
        let dropped = digits.len() - trimmed.len();
        let significant = trimmed.trim_start_matches('0');
        let exponent = exponent
            .checked_sub(i64::try_from(fraction.len()).ok()?)?
            .checked_add(i64::try_from(dropped).ok()?)?;
        Some(Self {
            negative,
            digits: significant.to_owned(),
            exponent: if significant.is_empty() { 0 } else { exponent },
        })
    }

    /// Returns whether the decimal, and not only its nearest double, exceeds [`MAX_MAGNITUDE`].
    fn exceeds_max_magnitude(&self) -> bool {
        let whole_digits = i64::try_from(self.digits.len())
            .unwrap_or(i64::MAX)
            .saturating_add(self.exponent);
        whole_digits > 141 || (whole_digits == 141 && self.digits != "1")
    }
}

impl fmt::Display for Decimal {
    /// Whole numbers as digits, others as digits and an exponent. Both are valid JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        match usize::try_from(self.exponent) {
            Ok(zeros) if zeros <= MAX_TEXT => write!(f, "{}{}", self.digits, "0".repeat(zeros)),
            _ => write!(f, "{}e{}", self.digits, self.exponent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        Number::parse(text).expect("a number").to_string()
    }

    #[test]
    fn printed_numbers_are_canonical_and_exact() {
        assert_eq!(printed("7.0"), "7");
        assert_eq!(printed("0.1"), "0.1");
        assert_eq!(printed("1e2"), "100");
        assert_eq!(printed("-0.0"), "-0.0");
        assert_eq!(printed("5e-324"), "5e-324");
    }

    #[test]
    fn integers_beyond_two_to_the_53_keep_their_digits() {
        assert_eq!(printed("9007199254740993"), "9007199254740993");
        assert!(
            !Number::parse("9007199254740993")
                .expect("fits")
                .is_exactly_f64()
        );
        assert!(
            Number::parse("9007199254740992")
                .expect("fits")
                .is_exactly_f64()
        );
        let long = format!("1{}7", "0".repeat(100));
        assert_eq!(printed(&long), long);
    }

    #[test]
    fn decimals_finer_than_a_double_keep_their_digits() {
        assert_eq!(
            printed("0.12345678901234567890123"),
            "12345678901234567890123e-23"
        );
        assert_eq!(printed("1e-400"), "1e-400");
    }

    #[test]
    fn numbers_beyond_the_maximum_magnitude_are_rejected() {
        assert!(Number::parse("1e140").is_ok());
        let one_more = format!("1{}1", "0".repeat(139));
        assert_eq!(Number::parse(&one_more), Err(NumberError::TooLarge));
        assert_eq!(Number::parse("1.1e140"), Err(NumberError::TooLarge));
        assert_eq!(Number::parse("-1e999"), Err(NumberError::TooLarge));
    }

    #[test]
    fn equal_decimals_are_equal_numbers() {
        assert_eq!(
            Number::parse("90071992547409930e-1"),
            Number::parse("9007199254740993")
        );
        assert_ne!(Number::parse("-0.0"), Number::parse("0.0"));
    }
}
