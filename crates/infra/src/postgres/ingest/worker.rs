//! Workers: each takes batches from the write queue and stores each batch in one transaction.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use time_series_domain::ports::{SessionWriteError, StoreError, WriteError};

use super::write_queue::{Batch, QueuedWrite, WriteQueue, Written};
use crate::postgres::pool::Postgres;

const DOING: &str = "storing a session";

/// Stores the batches of a queue until the queue is closed.
pub(super) struct Worker {
    pub(super) postgres: Postgres,
    pub(super) queue: Arc<WriteQueue>,
}

impl Worker {
    pub(super) async fn run(self) {
        while let Some(batch) = self.queue.next_batch().await {
            // The callers of a batch that panics receive `OutcomeUnknown` from their closed
            // channels.
            let stored = AssertUnwindSafe(self.store_and_finish(batch));
            if stored.catch_unwind().await.is_err() {
                tracing::error!("a batch panicked");
            }
        }
    }

    async fn store_and_finish(&self, mut batch: Batch) {
        let writes = std::mem::take(&mut batch.writes);
        let results = self.store(&writes).await;
        // Releases the users first: a caller that has its result may write again.
        drop(batch);
        for (write, result) in writes.into_iter().zip(results) {
            write.finish(result);
        }
    }

    /// Stores writes in one transaction, or one by one if one of them fails the transaction.
    async fn store(&self, writes: &[QueuedWrite]) -> Vec<Written> {
        if writes.is_empty() {
            return Vec::new();
        }
        metrics::histogram!("write_batch_sessions")
            .record(u32::try_from(writes.len()).unwrap_or(u32::MAX));
        match self.store_together(writes).await {
            Ok(results) => results,
            Err(e) if writes.len() == 1 => vec![Err(e.into())],
            Err(e) if fails_every_write(&e) => {
                let results = writes.iter().map(|_| Err(copy_of(&e).into()));
                results.collect()
            }
            Err(e) => {
                let sessions = writes.len();
                tracing::warn!(error = %e, sessions, "a batch failed; storing its sessions one by one");
                self.store_one_by_one(writes).await
            }
        }
    }

    async fn store_one_by_one(&self, writes: &[QueuedWrite]) -> Vec<Written> {
        let mut results = Vec::with_capacity(writes.len());
        let mut locked = HashSet::new();
        for one in writes.chunks(1) {
            let user = one[0].session.user_id;
            // Waits only once for a user that another process has locked.
            if locked.contains(&user) {
                results.push(Err(WriteError::Locked { doing: DOING }.into()));
                continue;
            }
            match self.store_together(one).await {
                Ok(stored) => results.extend(stored),
                Err(e) => {
                    if matches!(e, WriteError::Locked { .. }) {
                        locked.insert(user);
                    }
                    results.push(Err(e.into()));
                }
            }
        }
        results
    }

    async fn store_together(&self, writes: &[QueuedWrite]) -> Result<Vec<Written>, WriteError> {
        let transaction = self
            .postgres
            .run_tx(DOING, || self.postgres.store_batch(writes));
        let changing = writes.iter().filter(|w| w.write.changes()).count();
        // The server ends slow statements; the timeout is for a server that no longer answers.
        let results = match self.postgres.batch_timeout(changing) {
            None => transaction.await,
            Some(timeout) => match tokio::time::timeout(timeout, transaction).await {
                Ok(results) => results,
                Err(late) => Err(WriteError::OutcomeUnknown {
                    doing: DOING,
                    source: late.into(),
                }),
            },
        };
        if is_unavailable(&results) {
            // The connections may be to a server that is no longer the primary.
            self.postgres.close_idle_writers();
        }
        results
    }
}

fn is_unavailable(results: &Result<Vec<Written>, WriteError>) -> bool {
    match results {
        Err(e) => matches!(e, WriteError::Store(StoreError::Unavailable { .. })),
        Ok(results) => results.iter().any(|result| {
            matches!(
                result,
                Err(SessionWriteError::Failed(WriteError::Store(
                    StoreError::Unavailable { .. }
                )))
            )
        }),
    }
}

/// Returns whether each write of the batch would fail in the same way if stored alone.
const fn fails_every_write(e: &WriteError) -> bool {
    matches!(
        e,
        WriteError::Store(StoreError::Unavailable { .. }) | WriteError::OutcomeUnknown { .. }
    )
}

/// Returns an error of the same kind with the text of its source.
fn copy_of(e: &WriteError) -> WriteError {
    let source = std::error::Error::source(e);
    let source = source.map_or_else(|| e.to_string(), ToString::to_string);
    match e {
        WriteError::OutcomeUnknown { doing, .. } => WriteError::OutcomeUnknown {
            doing,
            source: source.into(),
        },
        _ => WriteError::Store(StoreError::Unavailable {
            doing: DOING,
            source: source.into(),
        }),
    }
}
