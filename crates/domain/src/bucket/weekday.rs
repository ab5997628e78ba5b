//! Days of the week.

use std::fmt;
use std::str::FromStr;

use crate::fingerprint::{FingerprintHasher, Fingerprinted};

/// A day of the week, such as the one that weeks start on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Weekday {
    /// Monday, the first day of the week in ISO 8601.
    #[default]
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// The text is not a day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a day of the week; use monday to sunday, or mon to sun")]
pub struct WeekdayError;

impl Weekday {
    /// All days, from Monday to Sunday.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// Parses an English weekday or its first three letters; case is ignored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|day| text == day.name() || text == day.name()[..3])
    }

    /// Returns the number of days after Monday: 0 to 6.
    #[must_use]
    pub const fn days_after_monday(self) -> i64 {
        self as i64
    }

    /// Returns the English name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }
}

impl fmt::Display for Weekday {
    /// The English name in lower case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Weekday {
    type Err = WeekdayError;

    /// Parses as [`Weekday::parse`] does.
    fn from_str(text: &str) -> Result<Self, WeekdayError> {
        Self::parse(text).ok_or(WeekdayError)
    }
}

impl Fingerprinted for Weekday {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(self.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_their_first_letters_parse() {
        for day in Weekday::ALL {
            assert_eq!(day.to_string().parse(), Ok(day));
            assert_eq!(day.name()[..3].to_uppercase().parse(), Ok(day));
        }
        assert_eq!("mo".parse::<Weekday>(), Err(WeekdayError));
    }
}
