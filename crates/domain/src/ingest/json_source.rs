//! [`SessionSource`] over a JSON body.

use std::sync::Arc;

use super::{BodyError, SessionDraft, SessionSource};
use crate::{SessionId, UserId};

/// A JSON body, and the session id that the request implies.
///
/// ```
/// use std::sync::Arc;
/// use time_series_domain::ingest::{JsonSource, SessionSource};
///
/// let body = br#"{"user_id": "7d8d2e3a-5d2f-4bd4-9f51-1d8c0a3c9a01", "data": []}"#;
/// let source = JsonSource::new(Arc::new(body.to_vec()));
/// assert!(source.read().is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct JsonSource {
    body: Arc<Vec<u8>>,
    /// The generated id for a body without an id.
    generated_id: Option<SessionId>,
    /// The id that the request requires.
    id: Option<SessionId>,
}

impl JsonSource {
    /// Creates a source from a body.
    #[must_use]
    pub const fn new(body: Arc<Vec<u8>>) -> Self {
        Self {
            body,
            generated_id: None,
            id: None,
        }
    }

    /// Sets the id for a body without an id.
    #[must_use]
    pub const fn or_session_id(mut self, id: SessionId) -> Self {
        self.generated_id = Some(id);
        self
    }

    /// Sets the id that the request requires; another one in the body is an error.
    #[must_use]
    pub const fn at_session_id(mut self, id: SessionId) -> Self {
        self.id = Some(id);
        self
    }
}

impl SessionSource for JsonSource {
    fn read(&self) -> Result<SessionDraft<'_>, BodyError> {
        let mut session = SessionDraft::from_json(&self.body)?;
        if let Some(id) = self.id {
            session = session.at_session_id(id);
        }
        if let Some(id) = self.generated_id {
            session = session.or_session_id(id);
        }
        Ok(session)
    }

    fn user(&self) -> Option<UserId> {
        SessionDraft::user_of_json(&self.body)
    }
}
