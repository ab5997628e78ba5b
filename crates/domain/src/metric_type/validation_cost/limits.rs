//! Limits of schemas, and of the steps of validation.

use crate::json::MAX_DEPTH;

/// Number of levels of a value, including its root.
pub(super) const LEVELS: usize = MAX_DEPTH + 1;

/// Maximum number of patterns of a schema.
pub(super) const MAX_PATTERNS: usize = 64;
/// Maximum length of all patterns of a schema, in bytes.
pub(super) const MAX_PATTERN_BYTES: usize = 16 * 1024;
/// Maximum number of instructions of all patterns of a schema.
pub(super) const MAX_PATTERN_INSTRUCTIONS: u64 = 20_000;
/// Maximum number of steps for a value without parts.
pub(super) const MAX_SCALAR_STEPS: u64 = 20_000;
/// Maximum number of steps for one value.
pub(in crate::metric_type) const MAX_VALUE_STEPS: u64 = 2_000_000;
/// Maximum number of steps for the values of one session.
pub(in crate::metric_type) const MAX_SESSION_STEPS: u64 = 250_000_000;
/// Maximum number of steps for a value of which all errors are collected.
pub(super) const MAX_ERROR_STEPS: u64 = 100_000;
/// Maximum nesting of subschemas that apply to one value: each takes a stack frame.
pub(super) const MAX_NESTING: u64 = 600;
/// Maximum number of steps of compiling a schema.
pub(super) const MAX_COMPILE_STEPS: usize = 50_000;
/// Number of levels of values that a schema must accept within [`MAX_VALUE_STEPS`].
pub(super) const USUAL_LEVELS: usize = 5;
