//! Validation errors of a session, each with its location.

use crate::JsonErrorKind;
use crate::text::shorten;

/// Maximum number of listed errors. Further errors are only counted.
pub(super) const LISTED: usize = 100;
/// Maximum length of the description of an error, in bytes.
pub(super) const MAX_DESCRIPTION: usize = 500;
/// Maximum lengths of the texts of a listed error, as JSON.
const MAX_POINTER: usize = 250;
const MAX_SERIES: usize = 255;
const MAX_MESSAGE: usize = 600;

/// One error in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer into the body: `/data/3/value/r`.
    pub pointer: String,
    /// The index of the entry in `data`, if the error is in an entry.
    pub index: Option<usize>,
    /// The point's series, if it could be read.
    pub series: Option<String>,
    /// The kind of the error.
    pub code: FieldErrorCode,
    /// A sentence that describes the error and its remedy.
    pub message: String,
}

/// The kinds of errors; [`FieldErrorCode::as_str`] is part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldErrorCode {
    /// A required member is missing.
    MissingField,
    /// An unknown member.
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
    /// Returns the stable name.
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

/// An error in an entry of `data`, before the index of the entry is added to its location.
#[derive(Debug)]
pub(super) struct EntryError {
    /// JSON pointer below the entry: `/value/r`.
    pub(super) pointer: String,
    pub(super) code: FieldErrorCode,
    pub(super) message: String,
}

/// The error of a value whose location the caller knows.
#[derive(Debug)]
pub(super) struct InvalidValue {
    pub(super) code: FieldErrorCode,
    pub(super) message: String,
}

impl EntryError {
    pub(super) fn new(
        pointer: impl Into<String>,
        code: FieldErrorCode,
        message: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            message: message.into(),
        }
    }
}

impl InvalidValue {
    pub(super) fn new(code: FieldErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// Adds the location of the value.
    pub(super) fn at(self, pointer: impl Into<String>) -> EntryError {
        EntryError::new(pointer, self.code, self.message)
    }
}

/// All errors of a session: the first hundred in order of appearance, and the number of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValidationErrors {
    listed: Vec<FieldError>,
    total: usize,
}

impl ValidationErrors {
    /// Adds an error. Its texts are cut to the maximum lengths.
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

    /// Counts an error without listing it.
    pub const fn count(&mut self) {
        self.total += 1;
    }

    /// Returns whether further errors are only counted.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.listed.len() >= LISTED
    }

    /// Returns whether there are no errors.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The number of errors, listed or not.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.total
    }

    /// The first hundred errors, in order of their location in the body.
    #[must_use]
    pub fn listed(&self) -> &[FieldError] {
        &self.listed
    }

    /// Sorts the listed errors by the index of their entry.
    pub(super) fn sort(&mut self) {
        self.listed.sort_by_key(|r| r.index.map_or(0, |i| i + 1));
    }
}
