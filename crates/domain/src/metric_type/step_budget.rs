//! The validation steps that one session may take.

use super::validation_cost::MAX_SESSION_STEPS;

/// The remaining validation steps for the values of one session.
#[derive(Debug)]
pub struct StepBudget {
    /// `None` after a value that needed more steps than remained.
    remaining: Option<u64>,
}

impl Default for StepBudget {
    /// Returns the budget of one session.
    fn default() -> Self {
        Self {
            remaining: Some(MAX_SESSION_STEPS),
        }
    }
}

impl StepBudget {
    /// Returns whether a value exceeded the budget. No further value is validated then.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.remaining.is_none()
    }

    /// Subtracts steps, and returns whether enough remained.
    pub(super) fn take(&mut self, steps: u64) -> bool {
        self.remaining = self
            .remaining
            .and_then(|remaining| remaining.checked_sub(steps));
        self.remaining.is_some()
    }
}
