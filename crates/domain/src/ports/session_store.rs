//! [`SessionStore`]: the port to stored sessions.

use std::sync::Arc;

use async_trait::async_trait;

use super::{SessionWriteError, StoreError, WriteError};
use crate::ingest::{EncodedSession, SessionWrite, Stored};
use crate::{SessionId, SessionPage, SessionPosition, SessionRecord, UserId};

/// Stores sessions with their blocks, and the day summaries of their users.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Stores a session or adds its points to a stored one, as [`decide`](crate::ingest::decide)
    /// decides, together with the day summaries and a new version of the user. Writes of one user
    /// are serialised.
    ///
    /// # Errors
    /// [`SessionWriteError::Conflict`]; [`SessionWriteError::CatalogueChanged`] if the schema of a
    /// metric type changed since the session was validated.
    async fn write(
        &self,
        session: Arc<EncodedSession>,
        write: SessionWrite,
    ) -> Result<Stored, SessionWriteError>;

    /// Deletes a session and recomputes the day summaries of its points. Returns the user's new
    /// version, or `None` if the session does not exist.
    async fn delete(&self, user: UserId, session: SessionId) -> Result<Option<u64>, WriteError>;

    /// Returns a session and the user's version, from one snapshot.
    async fn get(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<(SessionRecord, u64)>, StoreError>;

    /// Returns the users that have a session of this id, in ascending order.
    async fn owners(&self, session: SessionId) -> Result<Vec<UserId>, StoreError>;

    /// Returns at most `limit` sessions of a user after the position `after`: newest start first,
    /// sessions without a start last.
    async fn list(
        &self,
        user: UserId,
        after: Option<SessionPosition>,
        limit: usize,
    ) -> Result<SessionPage, StoreError>;
}
