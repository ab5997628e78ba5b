//! Stored sessions: get, list, delete.

mod delete_session;
mod read_session;

use std::sync::Arc;

use async_trait::async_trait;
use time_series_domain::ingest::{EncodedSession, IdempotencyKey, OnConflict, SessionWrite};
use time_series_domain::ports::{SessionStore, StoreError, Stored};
use time_series_domain::{SessionId, SessionPage, SessionPosition, SessionRecord, UserId};

pub(super) use delete_session::{StoredSpan, delete_blocks};

use super::pool::Postgres;

#[async_trait]
impl SessionStore for Postgres {
    async fn store(
        &self,
        session: Arc<EncodedSession>,
        on_conflict: OnConflict,
        key: Option<IdempotencyKey>,
    ) -> Result<Stored, StoreError> {
        self.store_session(session, SessionWrite::Store(on_conflict, key))
            .await
    }

    async fn append(
        &self,
        part: Arc<EncodedSession>,
        key: Option<IdempotencyKey>,
    ) -> Result<Stored, StoreError> {
        self.store_session(part, SessionWrite::Append(key)).await
    }

    async fn delete(&self, user: UserId, session: SessionId) -> Result<Option<u64>, StoreError> {
        self.run("deleting a session", || self.delete_session(user, session))
            .await
    }

    async fn get(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<(SessionRecord, u64)>, StoreError> {
        self.run("reading a session", || self.read_session(user, session))
            .await
    }

    async fn owners(&self, session: SessionId) -> Result<Vec<UserId>, StoreError> {
        self.run("looking for a session", || self.session_owners(session))
            .await
    }

    async fn list(
        &self,
        user: UserId,
        after: Option<SessionPosition>,
        limit: usize,
    ) -> Result<SessionPage, StoreError> {
        self.run("listing sessions", || {
            self.list_sessions(user, after, limit)
        })
        .await
    }
}

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    include_str!("delete_blocks.sql"),
    include_str!("delete_session.sql"),
    include_str!("get_session.sql"),
    include_str!("session_owners.sql"),
    include_str!("list_sessions.sql"),
    include_str!("series_points.sql"),
    include_str!("user_version.sql"),
];
