//! Errors of compiling a schema.

use super::validation_cost::CostError;

/// Maximum length of a schema, in bytes of compact JSON.
pub const MAX_SCHEMA_BYTES: usize = 64 * 1024;

/// The schema is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// It does not match its meta-schema, or cannot be compiled.
    #[error("is not a valid JSON Schema at {pointer:?}: {message}")]
    Invalid {
        /// The location in the schema.
        pointer: String,
        /// A description of the error.
        message: String,
    },
    /// Longer than [`MAX_SCHEMA_BYTES`].
    #[error("is longer than 64 KiB")]
    TooLong,
    /// Validating values would take too long.
    #[error("{0}")]
    Costly(#[from] CostError),
}
