//! A transaction that owns its connection, and the retries of transactions.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use deadpool_postgres::Object;
use time_series_domain::ports::{StoreError, WriteError};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::connect;
use super::error::PgError;
use super::pipeline::{ErrorOrigin, send};
use super::pool::Postgres;

/// Maximum attempts for a retryable transaction.
const MAX_ATTEMPTS: u32 = 10;

/// An open transaction. If it is dropped without a commit or rollback, its current statement is
/// cancelled and its connection closed.
pub(super) struct Transaction {
    /// `None` only during the drop.
    client: Option<Object>,
    /// True once the transaction is committed or rolled back.
    is_over: AtomicBool,
    /// True for a transaction that may write: only its commit can have an unknown outcome.
    is_writing: AtomicBool,
}

impl Transaction {
    /// Begins a transaction that may write. READ COMMITTED: the first statement locks the user's
    /// row, and later statements see the commits that it waited for.
    pub(super) async fn begin(client: Object) -> Result<Self, PgError> {
        let transaction = Self::unopened(client);
        transaction.open().await?;
        Ok(transaction)
    }

    /// Begins a transaction that may write and runs a first query in the same round trip.
    pub(super) async fn begin_with(
        client: Object,
        statement: &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<(Self, Row), PgError> {
        let transaction = Self::unopened(client);
        let opened = send(transaction.open()).await?;
        let row = send(transaction.query_one(statement, params)).await?;
        opened.await?;
        let row = row.await?;
        Ok((transaction, row))
    }

    /// Begins a read-only transaction on one snapshot.
    pub(super) async fn begin_snapshot(client: Object) -> Result<Self, PgError> {
        let transaction = Self::unopened(client);
        transaction.open_snapshot().await?;
        Ok(transaction)
    }

    /// Creates a transaction without BEGIN, to be opened by [`Self::open`] or
    /// [`Self::open_snapshot`], possibly pipelined with further statements.
    pub(super) const fn unopened(client: Object) -> Self {
        Self {
            client: Some(client),
            is_over: AtomicBool::new(false),
            is_writing: AtomicBool::new(false),
        }
    }

    /// Sends BEGIN for a transaction that may write.
    pub(super) async fn open(&self) -> Result<(), tokio_postgres::Error> {
        self.is_writing.store(true, Ordering::Relaxed);
        self.batch_execute("BEGIN READ WRITE").await
    }

    pub(super) async fn open_snapshot(&self) -> Result<(), tokio_postgres::Error> {
        self.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await
    }

    pub(super) async fn commit(self) -> Result<(), PgError> {
        let to_error = if self.is_writing.load(Ordering::Relaxed) {
            PgError::Commit
        } else {
            PgError::Driver
        };
        self.batch_execute("COMMIT").await.map_err(to_error)?;
        self.is_over.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Runs `work`, the last statements of this transaction, and commits in the same round trip. If
    /// a statement fails, the commit fails. If the connection is lost, the outcome is unknown.
    pub(super) async fn commit_pipelined(
        &self,
        work: impl Future<Output = Result<(), PgError>>,
    ) -> Result<(), PgError> {
        let worked = send(work).await?;
        let committed = send(self.batch_execute("COMMIT"))
            .await
            .map_err(PgError::Commit)?;
        worked.await.map_err(PgError::in_commit)?;
        committed.await.map_err(PgError::Commit)?;
        self.is_over.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Like [`Self::commit_pipelined`], but returns the error of a statement that the server rejected
    /// as `Ok(Err(_))`, after the rollback, and keeps the connection open.
    pub(super) async fn commit_or_reject<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<Result<T, tokio_postgres::Error>, PgError> {
        let worked = send(work).await?;
        let committed = send(self.batch_execute("COMMIT"))
            .await
            .map_err(PgError::Commit)?;
        let (worked, committed) = (worked.await, committed.await);
        self.is_over.store(committed.is_ok(), Ordering::Relaxed);
        match (worked, committed) {
            // The server rejected a statement, so nothing was committed, in whatever state the
            // connection is.
            (Err(e), _) if e.is_from_server() => Ok(Err(e)),
            (Err(e), _) | (Ok(_), Err(e)) => Err(PgError::Commit(e)),
            (Ok(value), Ok(())) => Ok(Ok(value)),
        }
    }

    pub(super) async fn rollback(self) -> Result<(), PgError> {
        self.batch_execute("ROLLBACK").await?;
        self.is_over.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.client
            .as_ref()
            .expect("the connection is held until the drop")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && !*self.is_over.get_mut()
        {
            connect::cancel_and_close(Object::take(client));
        }
    }
}

impl Postgres {
    /// Runs a read, with retries after conflicts with other transactions. `name` is the operation
    /// in errors and metrics.
    pub(super) async fn run<T, F>(
        &self,
        name: &'static str,
        read: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, PgError>>,
    {
        retry(name, read)
            .await
            .map_err(|e| e.into_store_error(name))
    }

    /// Runs a transaction that writes, with retries after conflicts with other transactions. `name`
    /// is the operation in errors and metrics.
    pub(super) async fn run_tx<T, F>(
        &self,
        name: &'static str,
        transaction: impl FnMut() -> F,
    ) -> Result<T, WriteError>
    where
        F: Future<Output = Result<T, PgError>>,
    {
        retry(name, transaction)
            .await
            .map_err(|e| e.into_write_error(name))
    }
}

async fn retry<T, F>(name: &str, mut work: impl FnMut() -> F) -> Result<T, PgError>
where
    F: Future<Output = Result<T, PgError>>,
{
    let started = Instant::now();
    let mut attempt = 1;
    let result = loop {
        match work().await {
            Err(e) if e.is_retryable() && attempt < MAX_ATTEMPTS => attempt += 1,
            result => break result,
        }
    };
    let operation = name.replace(' ', "_");
    metrics::histogram!("db_client_operation_duration_seconds", "operation" => operation.clone())
        .record(started.elapsed().as_secs_f64());
    metrics::counter!("db_client_retries_total", "operation" => operation)
        .increment(u64::from(attempt - 1));
    result
}
