//! The port through which use cases read a session from a request.

use super::SessionDraft;
use crate::UserId;

/// Error of a body that is not a JSON object, so that no field of it can be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(pub(super) String);

/// A source of a session. It may be read more than once: a schema may change during validation.
pub trait SessionSource: Send + Sync {
    /// Reads the session.
    ///
    /// # Errors
    /// [`BodyError`] if there is nothing to validate.
    fn read(&self) -> Result<SessionDraft<'_>, BodyError>;

    /// Returns the user that the source names, if it names one. Required for appends only.
    fn user(&self) -> Option<UserId> {
        None
    }
}
