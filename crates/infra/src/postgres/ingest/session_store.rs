//! [`SessionStore`] on PostgreSQL: writes through the queue, deletes under a user lock, reads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use time_series_domain::ingest::{EncodedSession, SessionWrite, Stored};
use time_series_domain::ports::{SessionStore, SessionWriteError, StoreError, WriteError};
use time_series_domain::{SessionId, SessionPage, SessionPosition, SessionRecord, UserId};

use super::WORKERS;
use super::worker::Worker;
use super::write_queue::{QueueLimits, QueuedWrite, WriteQueue, Written};
use crate::postgres::connect;
use crate::postgres::error::PgError;
use crate::postgres::pool::Postgres;

const STORING: &str = "storing a session";
const DELETING: &str = "deleting a session";
/// Pauses between attempts while a metric type of the session is being changed.
const MIN_PAUSE: Duration = Duration::from_millis(1);
const MAX_PAUSE: Duration = Duration::from_millis(16);

/// Sessions on PostgreSQL. Dropping the store ends its workers once no write waits.
pub struct PgSessionStore {
    postgres: Postgres,
    queue: Arc<WriteQueue>,
}

impl PgSessionStore {
    /// Starts the workers of a write queue over `postgres`.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        let queue = WriteQueue::new(QueueLimits {
            max_wait: postgres.max_write_wait,
            max_bytes: postgres.max_queued_bytes,
            timeout: postgres.wait,
        });
        for _ in 0..WORKERS {
            let worker = Worker {
                postgres: postgres.clone(),
                queue: Arc::clone(&queue),
            };
            connect::spawn(worker.run());
        }
        Self { postgres, queue }
    }

    /// Returns the bytes of the sessions that wait to be stored or are being stored.
    #[must_use]
    pub fn queued_bytes(&self) -> u64 {
        self.queue.bytes()
    }

    async fn write_once(&self, session: Arc<EncodedSession>, write: SessionWrite) -> Written {
        let (queued, result) = QueuedWrite::new(session, write);
        self.queue.push(queued)?;
        // The channel closes without a result if the batch panicked.
        result.await.unwrap_or_else(|e| {
            Err(SessionWriteError::Failed(WriteError::OutcomeUnknown {
                doing: STORING,
                source: e.into(),
            }))
        })
    }
}

impl Drop for PgSessionStore {
    fn drop(&mut self) {
        self.queue.close();
    }
}

#[async_trait]
impl SessionStore for PgSessionStore {
    async fn write(
        &self,
        session: Arc<EncodedSession>,
        write: SessionWrite,
    ) -> Result<Stored, SessionWriteError> {
        let deadline = Instant::now() + self.postgres.wait;
        let mut pause = MIN_PAUSE;
        loop {
            // The caller pauses and not a worker: workers also store sessions of other metric
            // types.
            match self.write_once(Arc::clone(&session), write.clone()).await {
                Err(SessionWriteError::Failed(WriteError::MetricTypeBusy))
                    if Instant::now() < deadline =>
                {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
                result => return result,
            }
        }
    }

    async fn delete(&self, user: UserId, session: SessionId) -> Result<Option<u64>, WriteError> {
        self.postgres
            .run_tx(DELETING, || async {
                let _lock = self
                    .queue
                    .lock(user, DELETING)
                    .await
                    .map_err(PgError::Write)?;
                self.postgres.delete_session(user, session).await
            })
            .await
    }

    async fn get(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<(SessionRecord, u64)>, StoreError> {
        self.postgres
            .run("reading a session", || {
                self.postgres.read_session(user, session)
            })
            .await
    }

    async fn owners(&self, session: SessionId) -> Result<Vec<UserId>, StoreError> {
        self.postgres
            .run("looking for a session", || {
                self.postgres.session_owners(session)
            })
            .await
    }

    async fn list(
        &self,
        user: UserId,
        after: Option<SessionPosition>,
        limit: usize,
    ) -> Result<SessionPage, StoreError> {
        self.postgres
            .run("listing sessions", || {
                self.postgres.list_sessions(user, after, limit)
            })
            .await
    }
}
