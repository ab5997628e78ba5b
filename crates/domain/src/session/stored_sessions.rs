//! Use cases of stored sessions: find the owner, get, list, delete.

use std::sync::Arc;

use super::WriteStage;
use crate::ports::{SessionStore, StoreError, WriteError};
use crate::{SessionId, SessionPage, SessionPosition, SessionRecord, UserId};

/// Reason why a session is not found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No user has a session of this id.
    #[error("no session {0} is stored")]
    Absent(SessionId),
    /// The user has no session of this id.
    #[error("the user has no session {0}")]
    NotOfUser(SessionId),
    /// Several users have a session of this id: name the user.
    #[error("{users} users have a session {session}")]
    Ambiguous {
        /// The id.
        session: SessionId,
        /// Number of users.
        users: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reason why a session is not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The session is not found.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The write failed.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A stored session and the version of its user's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSession {
    /// The session.
    pub record: SessionRecord,
    /// The user's version.
    pub version: u64,
}

/// Reads and deletes stored sessions.
pub struct StoredSessions {
    store: Arc<dyn SessionStore>,
}

impl StoredSessions {
    /// Creates the use cases over their port.
    #[must_use]
    pub const fn new(store: Arc<dyn SessionStore>) -> Self {
        Self { store }
    }

    /// Returns the user of a session: the named one, or else the only one with a session of this
    /// id.
    ///
    /// # Errors
    /// [`FindError::Absent`], [`FindError::Ambiguous`], [`FindError::Store`].
    pub async fn owner(
        &self,
        session: SessionId,
        named: Option<UserId>,
    ) -> Result<UserId, FindError> {
        if let Some(user) = named {
            return Ok(user);
        }
        match self.store.owners(session).await?.as_slice() {
            [] => Err(FindError::Absent(session)),
            [user] => Ok(*user),
            users => Err(FindError::Ambiguous {
                session,
                users: users.len(),
            }),
        }
    }

    /// Returns a session without its points.
    ///
    /// # Errors
    /// [`FindError`].
    pub async fn get(
        &self,
        session: SessionId,
        user: Option<UserId>,
    ) -> Result<FoundSession, FindError> {
        let user = self.owner(session, user).await?;
        let found = self.store.get(user, session).await?;
        let (record, version) = found.ok_or(FindError::NotOfUser(session))?;
        Ok(FoundSession { record, version })
    }

    /// Returns a page of a user's sessions: newest start first, sessions without a start last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(
        &self,
        user: UserId,
        after: Option<SessionPosition>,
        limit: usize,
    ) -> Result<SessionPage, StoreError> {
        self.store.list(user, after, limit).await
    }

    /// Deletes a session and recomputes the day summaries of its points. Returns the user and the
    /// user's new version.
    ///
    /// # Errors
    /// [`DeleteError`].
    pub async fn delete(
        &self,
        session: SessionId,
        user: Option<UserId>,
        stage: &WriteStage,
    ) -> Result<(UserId, u64), DeleteError> {
        let user = self.owner(session, user).await?;
        stage.enter_store();
        let version = self.store.delete(user, session).await?;
        let version = version.ok_or(FindError::NotOfUser(session))?;
        Ok((user, version))
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;
    use uuid::Uuid;

    use super::*;
    use crate::memory::MemoryStore;

    #[test]
    fn an_unknown_session_is_absent_or_not_of_the_named_user() {
        let sessions = StoredSessions::new(Arc::new(MemoryStore::new()));
        let (id, user) = (SessionId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let absent = block_on(sessions.get(id, None));
        assert!(matches!(absent, Err(FindError::Absent(_))), "{absent:?}");
        let of_user = block_on(sessions.get(id, Some(user)));
        assert!(
            matches!(of_user, Err(FindError::NotOfUser(_))),
            "{of_user:?}"
        );
        let deleted = block_on(sessions.delete(id, Some(user), &WriteStage::default()));
        assert!(
            matches!(deleted, Err(DeleteError::Find(FindError::NotOfUser(_)))),
            "{deleted:?}"
        );
    }
}
