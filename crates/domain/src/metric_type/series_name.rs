//! Names of series.

use std::fmt;
use std::str::FromStr;

/// Maximum length of a series name, in characters.
const MAX_LENGTH: usize = 255;

/// A series name: 1 to 255 of `A–Z a–z 0–9 _ . -`, which keeps names distinct from patterns.
///
/// ```
/// use time_series_domain::SeriesName;
///
/// let name: SeriesName = "session.urine.color".parse()?;
/// assert_eq!(name.as_str(), "session.urine.color");
/// assert!(SeriesName::parse("session.*").is_err());
/// # Ok::<(), time_series_domain::metric_type::SeriesNameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesName(String);

/// The text is not a series name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 255 characters of A-Z a-z 0-9 _ . -")]
pub struct SeriesNameError;

impl SeriesName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`SeriesNameError`] for any other text.
    pub fn parse(text: &str) -> Result<Self, SeriesNameError> {
        if !text.is_empty() && text.len() <= MAX_LENGTH && text.chars().all(Self::is_name_char) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SeriesNameError)
        }
    }

    /// Returns whether a name may contain `c`.
    #[must_use]
    pub const fn is_name_char(c: char) -> bool {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
    }

    /// Returns the text.
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

impl FromStr for SeriesName {
    type Err = SeriesNameError;

    /// Parses as [`SeriesName::parse`] does.
    fn from_str(text: &str) -> Result<Self, SeriesNameError> {
        Self::parse(text)
    }
}

impl AsRef<str> for SeriesName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for SeriesName {
    fn borrow(&self) -> &str {
        &self.0
    }
}
