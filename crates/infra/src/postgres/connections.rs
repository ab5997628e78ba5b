//! Upkeep of connections: keeps those of the workers open, closes idle ones, checks reads and
//! commits.

use std::time::Duration;

use time_series_domain::ports::StoreError;

use super::error::PgError;
use super::ingest::WORKERS;
use super::migrate::{self, MigrateError};
use super::pool::{APPLICATION_NAME, Postgres};
use super::transaction::Transaction;

/// Time after which an unused connection of readers is closed.
const IDLE: Duration = Duration::from_mins(1);

const COMMIT: &str = include_str!("heartbeat_commit.sql");
const REPLICA_LAG: &str = include_str!("replica_lag.sql");
const ALLOWED: &str = include_str!("allowed_connections.sql");

/// The connections that the server allows and those that are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowedConnections {
    /// Maximum connections of unprivileged roles.
    pub allowed: usize,
    /// Open connections of other programs.
    pub others: usize,
    /// Maximum connections of this process by its settings.
    pub needed: usize,
}

impl Postgres {
    /// Opens the connections of the workers before readers can exhaust the server's limit, and
    /// closes idle connections of readers.
    ///
    /// # Errors
    /// [`StoreError`] if the workers cannot connect.
    pub async fn keep_connections(&self) -> Result<(), StoreError> {
        let mut held = Vec::with_capacity(WORKERS);
        for _ in 0..WORKERS {
            // Every connection is open: held here or in use by a worker.
            if self.writers.status().available == 0 && self.writers.status().size >= WORKERS {
                break;
            }
            match self
                .writers_connection("keeping the writers' connections")
                .await
            {
                Ok(connection) => held.push(connection),
                Err(e) => {
                    // Idle connections of readers may exhaust the server's limit.
                    self.pool.retain(|_, _| false);
                    return Err(e);
                }
            }
        }
        drop(held);
        self.pool.retain(|_, metrics| metrics.last_used() < IDLE);
        Ok(())
    }

    /// Checks that the database responds and has the schema of this program.
    ///
    /// # Errors
    /// [`MigrateError`], which names the remedy.
    pub async fn heartbeat_read(&self) -> Result<(), MigrateError> {
        let client =
            self.heartbeat.get().await.map_err(|e| {
                MigrateError::of_connection(super::error::from_pool("a heartbeat", e))
            })?;
        migrate::check(&client).await
    }

    /// Checks that a commit succeeds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn heartbeat_commit(&self) -> Result<(), StoreError> {
        let doing = "a heartbeat";
        let beat = async {
            let client = self
                .heartbeat
                .get()
                .await
                .map_err(|e| super::error::from_pool(doing, e))?;
            let transaction = Transaction::begin(client).await?;
            transaction.execute(COMMIT, &[]).await?;
            transaction.commit().await
        };
        beat.await.map_err(|e: PgError| e.into_store_error(doing))
    }

    /// Returns how far a replica is behind, in seconds; `None` if it has replayed nothing yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replica_lag(&self) -> Result<Option<f64>, StoreError> {
        let doing = "reading the lag of a replica";
        let client = self
            .heartbeat
            .get()
            .await
            .map_err(|e| super::error::from_pool(doing, e))?;
        let lag = async { client.query_one(REPLICA_LAG, &[]).await?.try_get("lag") };
        lag.await
            .map_err(|e| PgError::from(e).into_store_error(doing))
    }

    /// Compares the connections that the server allows with those that this process needs, and
    /// shrinks the pool of readers if they are too few.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn fit_connections(&self) -> Result<AllowedConnections, StoreError> {
        let doing = "reading the limits of the server";
        let client = self
            .heartbeat
            .get()
            .await
            .map_err(|e| super::error::from_pool(doing, e))?;
        let row = client.query_one(ALLOWED, &[&APPLICATION_NAME]).await;
        let row = row.map_err(|e| PgError::from(e).into_store_error(doing))?;
        let number = |name| usize::try_from(row.get::<_, i32>(name)).unwrap_or(0);
        let (allowed, others) = (number("allowed"), number("others"));
        let readers = self.pool.status().max_size;
        let needed = readers + WORKERS + 1;
        let left = allowed
            .saturating_sub(others)
            .saturating_sub(WORKERS + 1)
            .max(1);
        if left < readers {
            self.pool.resize(left);
        }
        Ok(AllowedConnections {
            allowed,
            others,
            needed,
        })
    }
}
