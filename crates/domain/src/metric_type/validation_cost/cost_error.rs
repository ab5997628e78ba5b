//! Errors of schemas that are too costly.

use super::limits::{MAX_NESTING, MAX_PATTERN_BYTES, MAX_PATTERNS};

/// The schema is too costly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// A cycle of references that does not enter a part of the value.
    #[error(
        "has an endless cycle of $ref: a schema refers to itself for the same value; put a \
         property or an element between them"
    )]
    Endless,
    /// Too many steps for a value.
    #[error(
        "would take the validator more than {limit} steps for a value of {levels} levels; nest \
         fewer branches of anyOf, oneOf, allOf and $ref"
    )]
    Steps {
        /// Maximum number of steps.
        limit: u64,
        /// Number of levels of the value, including its root.
        levels: usize,
    },
    /// Subschemas for one value are nested too deeply.
    #[error(
        "applies more than {MAX_NESTING} nested subschemas to one value; use shorter chains of $ref"
    )]
    Nesting,
    /// Compiling takes too long.
    #[error("takes too long to compile; nest fewer unevaluatedProperties and unevaluatedItems")]
    Compilation,
    /// Too many patterns, or patterns that are too long.
    #[error(
        "has more than {MAX_PATTERNS} patterns, or patterns of more than {MAX_PATTERN_BYTES} \
         bytes in total, or repetitions such as {{1000}} that make them as long; use fewer and \
         shorter patterns"
    )]
    Patterns,
}
