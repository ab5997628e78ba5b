//! Names of series.

use std::fmt;

/// The longest series name, in characters.
const MAX_LENGTH: usize = 255;

/// A series name: 1 to 255 of `A–Z a–z 0–9 _ . -`, so that it can never be mistaken for a pattern.
///
/// ```
/// use time_series_domain::SeriesName;
///
/// assert!(SeriesName::parse("session.urine.color").is_ok());
/// assert!(SeriesName::parse("session.*").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesName(String);

/// The text is no series name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 255 characters of A-Z a-z 0-9 _ . -")]
pub struct SeriesNameError;

impl SeriesName {
    /// Accepts a well-formed name.
    ///
    /// # Errors
    /// [`SeriesNameError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, SeriesNameError> {
        if !text.is_empty() && text.len() <= MAX_LENGTH && text.chars().all(Self::is_name_char) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SeriesNameError)
        }
    }

    /// Whether a name may contain `c`.
    #[must_use]
    pub const fn is_name_char(c: char) -> bool {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SeriesName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for SeriesName {
    fn borrow(&self) -> &str {
        &self.0
    }
}
