//! What is wrong with a session, point by point.

use crate::JsonErrorKind;
use crate::text::shorten;

/// How many rejects are listed; the rest is only counted.
pub(super) const LISTED: usize = 100;
/// Maximum lengths of the texts of a listed reject, as JSON.
const MAX_POINTER: usize = 250;
const MAX_SERIES: usize = 255;
const MAX_MESSAGE: usize = 600;

/// One error in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer into the body: `/data/3/value/r`.
    pub pointer: String,
    /// The place of the point in `data`, if it is about a point.
    pub index: Option<usize>,
    /// The point's series, if it could be read.
    pub series: Option<String>,
    /// What kind of error.
    pub code: FieldErrorCode,
    /// A sentence about it, with the remedy.
    pub message: String,
}

/// The kinds of errors; [`FieldErrorCode::as_str`] is part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldErrorCode {
    /// A member that must be there is not.
    MissingField,
    /// A member that means nothing here.
    UnknownField,
    /// The same key twice in one object.
    DuplicateKey,
    /// The wrong JSON type.
    InvalidType,
    /// Not a UUID.
    InvalidUuid,
    /// Not an RFC 3339 time.
    InvalidTime,
    /// Finer than a microsecond.
    TimeTooFine,
    /// Before 1970, ahead of the clock, or far from the session's start.
    ImplausibleTime,
    /// No metric type has this name.
    UnknownSeries,
    /// The value breaks its metric type's schema.
    SchemaViolation,
    /// Validating the value would take too long.
    TooCostly,
    /// U+0000 in a string.
    NulCharacter,
    /// Not Unicode.
    InvalidString,
    /// Beyond ±1e140, or more digits than can be kept.
    NumberOutOfRange,
    /// Nested too deep.
    TooDeep,
    /// A value too long.
    ValueTooLong,
    /// More points than one session may have.
    TooManyPoints,
}

impl FieldErrorCode {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingField => "missing_field",
            Self::UnknownField => "unknown_field",
            Self::DuplicateKey => "duplicate_key",
            Self::InvalidType => "invalid_type",
            Self::InvalidUuid => "invalid_uuid",
            Self::InvalidTime => "invalid_time",
            Self::TimeTooFine => "time_too_fine",
            Self::ImplausibleTime => "implausible_time",
            Self::UnknownSeries => "unknown_series",
            Self::SchemaViolation => "schema_violation",
            Self::TooCostly => "too_costly",
            Self::NulCharacter => "nul_character",
            Self::InvalidString => "invalid_string",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::TooDeep => "too_deep",
            Self::ValueTooLong => "value_too_long",
            Self::TooManyPoints => "too_many_points",
        }
    }
}

impl From<&JsonErrorKind> for FieldErrorCode {
    fn from(kind: &JsonErrorKind) -> Self {
        match kind {
            JsonErrorKind::Syntax(_) => Self::InvalidType,
            JsonErrorKind::DuplicateKey(_) => Self::DuplicateKey,
            JsonErrorKind::NulCharacter => Self::NulCharacter,
            JsonErrorKind::InvalidString(_) => Self::InvalidString,
            JsonErrorKind::TooDeep => Self::TooDeep,
            JsonErrorKind::TooLong => Self::ValueTooLong,
            JsonErrorKind::Number(_) => Self::NumberOutOfRange,
        }
    }
}

/// All errors of a session: the first hundred in order of appearance, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValidationErrors {
    listed: Vec<FieldError>,
    total: usize,
}

impl ValidationErrors {
    /// Adds a error; its texts are cut to the lengths that are kept.
    pub fn push(&mut self, mut error: FieldError) {
        self.total += 1;
        if self.is_full() {
            return;
        }
        error.pointer = shorten(error.pointer, MAX_POINTER);
        error.series = error.series.map(|series| shorten(series, MAX_SERIES));
        error.message = shorten(error.message, MAX_MESSAGE);
        self.listed.push(error);
    }

    /// Counts a error that is not listed.
    pub const fn count(&mut self) {
        self.total += 1;
    }

    /// Whether further errors are only counted.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.listed.len() >= LISTED
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// How many errors there are.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.total
    }

    /// The first hundred, by place in the body.
    #[must_use]
    pub fn listed(&self) -> &[FieldError] {
        &self.listed
    }

    /// Puts the errors of points in the order of the points.
    pub(super) fn sort(&mut self) {
        self.listed.sort_by_key(|r| r.index.map_or(0, |i| i + 1));
    }
}
