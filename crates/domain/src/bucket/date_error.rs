//! The error of parsing a local date.

/// The text is not a date whose first instant is a [`Timestamp`](crate::Timestamp).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not `YYYY-MM-DD`, or not a date of the Gregorian calendar.
    #[error("is not a date of the calendar; use a date such as 2025-01-31")]
    NotADate,
    /// The first instant of the day lies outside the range of [`Timestamp`](crate::Timestamp).
    #[error("starts outside the years 0001 to 9999 (UTC); use a date inside them")]
    OutOfRange,
}
