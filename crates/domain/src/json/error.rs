//! Errors of parsing JSON, with their location in the value.

use super::number::NumberError;
use super::pointer::Pointer;

/// An error in a JSON value, with its location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct JsonError {
    /// The location, from the root of the parsed value.
    pub pointer: Pointer,
    /// The kind of error.
    pub kind: JsonErrorKind,
}

/// The kinds of errors in a JSON value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonErrorKind {
    /// Not JSON.
    #[error("is not valid JSON: {0}")]
    Syntax(String),
    /// An object has the same key twice.
    #[error("has the key {0:?} twice; send it once")]
    DuplicateKey(String),
    /// U+0000, which PostgreSQL cannot store.
    #[error("contains the NUL character (\\u0000), which cannot be stored; remove it")]
    NulCharacter,
    /// A string is not Unicode (a lone surrogate) or has a raw control character.
    #[error("is not a valid string: {0}")]
    InvalidString(String),
    /// Nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("is nested deeper than 64 levels")]
    TooDeep,
    /// Longer than [`MAX_VALUE_BYTES`](super::MAX_VALUE_BYTES).
    #[error("is longer than 1 MiB")]
    TooLong,
    /// A number is out of range.
    #[error("{0}")]
    Number(#[from] NumberError),
}

impl JsonError {
    /// Creates an error of the whole value.
    pub(super) const fn at_root(kind: JsonErrorKind) -> Self {
        Self {
            pointer: Pointer::root(),
            kind,
        }
    }
}
