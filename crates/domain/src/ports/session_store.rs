//! The port to stored sessions.

use std::sync::Arc;

use async_trait::async_trait;

use super::StoreError;
use crate::ingest::{EncodedSession, IdempotencyKey, OnConflict, Outcome};
use crate::{SessionId, SessionPage, SessionPosition, SessionRecord, UserId};

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// What became of the session.
    pub outcome: Outcome,
    /// The user's version after it.
    pub version: u64,
    /// How many points are stored under its id.
    pub total_points: u64,
    /// This was answered before, under the same key; nothing was done now.
    pub is_replay: bool,
}

/// Keeps sessions with their blocks and the day summaries of their users.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Stores a session whole, with its day summaries and a new version of the user.
    ///
    /// The same session again is [`Outcome::Unchanged`]. A key counts as in [`Self::append`], where the policy is to append.
    /// Writes of one user happen one after the other.
    ///
    /// # Errors
    /// [`StoreError::SessionConflict`] when another session has the id and the policy is to refuse; where it is to
    /// append, those of [`EncodedSession::joining`], and [`StoreError::OutOfSession`] if it cannot be a session of its own;
    /// [`StoreError::CatalogueChanged`] when the schema of one of its metric types changed since it was checked.
    async fn store(
        &self,
        session: Arc<EncodedSession>,
        on_conflict: OnConflict,
        key: Option<IdempotencyKey>,
    ) -> Result<Stored, StoreError>;

    /// Adds the points of `part` to the session of its id, with the day summaries and a new version of the user. With a
    /// key, what the key was answered first is answered again; without one, points of the same digest are
    /// [`Outcome::Unchanged`].
    ///
    /// # Errors
    /// Those of [`EncodedSession::joining`], [`StoreError::SessionAbsent`], and
    /// [`StoreError::CatalogueChanged`] when the schema of one of their metric types changed since they were checked.
    async fn append(
        &self,
        part: Arc<EncodedSession>,
        key: Option<IdempotencyKey>,
    ) -> Result<Stored, StoreError>;

    /// Deletes a session and takes its points out of the day summaries, exactly. Gives the user's new
    /// version, or `None` if there is no such session.
    async fn delete(&self, user: UserId, session: SessionId) -> Result<Option<u64>, StoreError>;

    /// A session and the user's version.
    async fn get(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<(SessionRecord, u64)>, StoreError>;

    /// The users who have a session of that id, ascending.
    async fn owners(&self, session: SessionId) -> Result<Vec<UserId>, StoreError>;

    /// At most `limit` sessions of a user behind `after`, newest first, sessions without a start last.
    async fn list(
        &self,
        user: UserId,
        after: Option<SessionPosition>,
        limit: usize,
    ) -> Result<SessionPage, StoreError>;
}
