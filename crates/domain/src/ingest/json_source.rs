//! A session in a JSON body.

use std::sync::Arc;

use super::{BodyError, RawSession, SessionSource};
use crate::{SessionId, UserId};

/// A JSON body, and what is known of its session besides.
///
/// ```
/// use std::sync::Arc;
/// use time_series_domain::ingest::{JsonSource, SessionSource};
///
/// let source = JsonSource::new(Arc::new(br#"{"user_id": "7d8d2e3a-5d2f-4bd4-9f51-1d8c0a3c9a01", "data": []}"#.to_vec()));
/// assert!(source.read().is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct JsonSource {
    body: Arc<Vec<u8>>,
    /// The id of a session that names none.
    made_id: Option<SessionId>,
    /// The id that the session must have.
    id: Option<SessionId>,
    /// The user that the session must be of.
    user: Option<UserId>,
}

impl JsonSource {
    /// A body by itself.
    #[must_use]
    pub const fn new(body: Arc<Vec<u8>>) -> Self {
        Self {
            body,
            made_id: None,
            id: None,
            user: None,
        }
    }

    /// Gives the session this id where the body has none.
    #[must_use]
    pub const fn or_session_id(mut self, id: SessionId) -> Self {
        self.made_id = Some(id);
        self
    }

    /// Gives the session this id; another one in the body is a fault.
    #[must_use]
    pub const fn at_session_id(mut self, id: SessionId) -> Self {
        self.id = Some(id);
        self
    }

    /// Gives the session this user; another one in the body is a fault.
    #[must_use]
    pub const fn of_user(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }
}

impl SessionSource for JsonSource {
    fn read(&self) -> Result<RawSession<'_>, BodyError> {
        let mut session = RawSession::from_json(&self.body)?;
        if let Some(user) = self.user {
            session = session.of_user(user);
        }
        if let Some(id) = self.id {
            session = session.at_session_id(id);
        }
        if let Some(id) = self.made_id {
            session = session.or_session_id(id);
        }
        Ok(session)
    }
}
