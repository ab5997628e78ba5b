//! Runs cases against a service, and compares every answer with the model.

pub(crate) mod aggregates;
pub(crate) mod for_all;
pub(crate) mod operations;
pub(crate) mod points;
pub(crate) mod session_body;
pub(crate) mod user_state;

use time_series_testkit::Answer;

/// The result of a check; the error describes the failure.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// Checks the status of an answer.
pub(crate) fn expect_status(answer: &Answer, status: u16) -> Outcome {
    if answer.status.as_u16() == status {
        Ok(())
    } else {
        Err(format!(
            "{status} expected, {} returned: {}",
            answer.status, answer.text
        ))
    }
}

/// Checks a condition about `context`, and names it if it fails.
pub(crate) fn ensure(holds: bool, name: &str, context: &impl std::fmt::Display) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(format!("wrong {name} in {context}"))
    }
}
