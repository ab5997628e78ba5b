//! Violations: the reasons for which a value is not accepted by its schema.

use super::validation_cost::{Estimate, MAX_SESSION_STEPS, MAX_VALUE_STEPS};
use crate::json::Pointer;

/// One violation of the schema by a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The location in the value.
    pub pointer: Pointer,
    /// A description of the violation.
    pub message: String,
    /// The kind of violation.
    pub kind: ViolationKind,
}

/// The kinds of violations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViolationKind {
    /// The value does not match the schema.
    Mismatch,
    /// The value was not validated, since validation would take too many steps.
    TooCostly,
}

impl Violation {
    /// Creates the violation of a value whose errors would take too many steps to describe.
    pub(crate) fn undescribed() -> Self {
        let message =
            "does not match the schema of its series; GET /api/metrictypes/{series}/ returns it"
                .to_owned();
        Self {
            pointer: Pointer::root(),
            message,
            kind: ViolationKind::Mismatch,
        }
    }

    /// Creates the violation of a value that would take more than [`MAX_VALUE_STEPS`].
    pub(super) fn too_costly(estimate: &Estimate) -> Self {
        let Estimate { levels, growth, .. } = *estimate;
        let message = if growth > 1 {
            format!(
                "would take the validator more than {MAX_VALUE_STEPS} steps: it is nested {levels} \
                 levels deep, and the schema multiplies the work by up to {growth} per level; \
                 flatten the value, or use fewer branches in the schema"
            )
        } else {
            format!(
                "would take the validator more than {MAX_VALUE_STEPS} steps; send less in one \
                 value, or use fewer branches and patterns in the schema"
            )
        };
        Self {
            pointer: Pointer::root(),
            message,
            kind: ViolationKind::TooCostly,
        }
    }

    /// Creates the violation of a value that exceeds the remaining steps of the session.
    pub(super) fn budget_exhausted() -> Self {
        let message = format!(
            "and those before would take the validator more than {MAX_SESSION_STEPS} steps; send \
             fewer points in one session, or use fewer branches and patterns in the schema"
        );
        Self {
            pointer: Pointer::root(),
            message,
            kind: ViolationKind::TooCostly,
        }
    }
}
