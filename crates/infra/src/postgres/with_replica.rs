//! Stores whose reads are answered by a replica while the primary cannot be reached. Writes go to the primary.

use std::sync::Arc;

use async_trait::async_trait;
use time_series_domain::ingest::{EncodedSession, IdempotencyKey, OnConflict};
use time_series_domain::metric_type::MetricTypeDefinition;
use time_series_domain::ports::{
    CatalogueChanges, ChangeError, DataVersion, MetricTypeStore, PointSource, SecretStore,
    SessionStore, StoreError, Stored,
};
use time_series_domain::{
    MetricType, RootSecret, SchemaVersion, SessionId, SessionPage, SessionPosition, SessionRecord,
    UserId,
};

use super::pool::Postgres;

/// A primary and a replica of it.
pub struct WithReplica {
    primary: Arc<Postgres>,
    replica: Arc<Postgres>,
}

impl WithReplica {
    /// Reads from `replica` while `primary` cannot be reached.
    #[must_use]
    pub const fn new(primary: Arc<Postgres>, replica: Arc<Postgres>) -> Self {
        Self { primary, replica }
    }
}

/// Reads from the primary, and from the replica where the primary cannot be reached.
async fn read<T>(
    primary: impl Future<Output = Result<T, StoreError>>,
    replica: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match primary.await {
        Err(StoreError::Unavailable { doing, source }) => {
            tracing::debug!(doing, error = %source, "the primary cannot be reached, a replica is asked");
            replica.await
        }
        answered => answered,
    }
}

#[async_trait]
impl SessionStore for WithReplica {
    async fn store(
        &self,
        session: Arc<EncodedSession>,
        on_conflict: OnConflict,
        key: Option<IdempotencyKey>,
    ) -> Result<Stored, StoreError> {
        self.primary.store(session, on_conflict, key).await
    }

    async fn append(
        &self,
        part: Arc<EncodedSession>,
        key: Option<IdempotencyKey>,
    ) -> Result<Stored, StoreError> {
        self.primary.append(part, key).await
    }

    async fn delete(&self, user: UserId, session: SessionId) -> Result<Option<u64>, StoreError> {
        SessionStore::delete(self.primary.as_ref(), user, session).await
    }

    async fn get(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<(SessionRecord, u64)>, StoreError> {
        read(
            self.primary.get(user, session),
            self.replica.get(user, session),
        )
        .await
    }

    async fn owners(&self, session: SessionId) -> Result<Vec<UserId>, StoreError> {
        read(self.primary.owners(session), self.replica.owners(session)).await
    }

    async fn list(
        &self,
        user: UserId,
        after: Option<SessionPosition>,
        limit: usize,
    ) -> Result<SessionPage, StoreError> {
        read(
            self.primary.list(user, after, limit),
            self.replica.list(user, after, limit),
        )
        .await
    }
}

#[async_trait]
impl MetricTypeStore for WithReplica {
    async fn changes(&self, since: Option<u64>) -> Result<CatalogueChanges, StoreError> {
        read(self.primary.changes(since), self.replica.changes(since)).await
    }

    async fn of_users(
        &self,
        users: &[UserId],
        points: &PointSource,
    ) -> Result<(DataVersion, Vec<SchemaVersion>), StoreError> {
        read(
            self.primary.of_users(users, points),
            self.replica.of_users(users, points),
        )
        .await
    }

    async fn create(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError> {
        self.primary.create(definition).await
    }

    async fn update(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError> {
        self.primary.update(definition).await
    }

    async fn delete(&self, series: &str) -> Result<(), ChangeError> {
        MetricTypeStore::delete(self.primary.as_ref(), series).await
    }
}

#[async_trait]
impl SecretStore for WithReplica {
    async fn secret(&self) -> Result<Arc<RootSecret>, StoreError> {
        read(self.primary.secret(), self.replica.secret()).await
    }
}
