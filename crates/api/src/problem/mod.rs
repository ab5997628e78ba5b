//! Errors as RFC 9457 problem documents.

mod code;
mod document;
mod from_use_cases;

pub(crate) use code::Code;
pub(crate) use document::{Estimate, FieldErrorView, MAX_ERRORS, Problem, ProblemBody};
