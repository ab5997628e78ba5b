//! Stores that read from a replica while the primary cannot be reached. Writes go to the primary.

use std::sync::Arc;

use async_trait::async_trait;
use time_series_domain::ingest::{EncodedSession, SessionWrite, Stored};
use time_series_domain::metric_type::MetricTypeDefinition;
use time_series_domain::ports::{
    CatalogueChanges, ChangeError, DataVersion, MetricTypeStore, PointSource, SecretStore,
    SessionStore, SessionWriteError, StoreError, WriteError,
};
use time_series_domain::{
    MetricType, RootSecret, SchemaVersion, SessionId, SessionPage, SessionPosition, SessionRecord,
    UserId,
};

/// A store on the primary and the same store on a replica.
pub struct WithReplica<S> {
    primary: Arc<S>,
    replica: Arc<S>,
}

impl<S> WithReplica<S> {
    /// Reads from `replica` while `primary` cannot be reached.
    #[must_use]
    pub const fn new(primary: Arc<S>, replica: Arc<S>) -> Self {
        Self { primary, replica }
    }
}

/// Reads from the primary, or from the replica if the primary cannot be reached.
async fn read<T>(
    primary: impl Future<Output = Result<T, StoreError>>,
    replica: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match primary.await {
        Err(StoreError::Unavailable { doing, source }) => {
            tracing::debug!(doing, error = %source, "primary unreachable; reading from the replica");
            replica.await
        }
        result => result,
    }
}

#[async_trait]
impl<S: SessionStore> SessionStore for WithReplica<S> {
    async fn write(
        &self,
        session: Arc<EncodedSession>,
        write: SessionWrite,
    ) -> Result<Stored, SessionWriteError> {
        self.primary.write(session, write).await
    }

    async fn delete(&self, user: UserId, session: SessionId) -> Result<Option<u64>, WriteError> {
        self.primary.delete(user, session).await
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
impl<S: MetricTypeStore> MetricTypeStore for WithReplica<S> {
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
        self.primary.delete(series).await
    }
}

#[async_trait]
impl<S: SecretStore> SecretStore for WithReplica<S> {
    async fn secret(&self) -> Result<Arc<RootSecret>, StoreError> {
        read(self.primary.secret(), self.replica.secret()).await
    }
}
