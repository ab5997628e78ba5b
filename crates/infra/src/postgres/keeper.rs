//! Keeps the connections of writers open, closes idle ones of readers, and tells whether reads and commits work.

use std::time::Duration;

use time_series_domain::ports::StoreError;

use super::error::PgError;
use super::ingest::WORKERS;
use super::migrate::{self, MigrateError};
use super::pool::{APPLICATION_NAME, Postgres};
use super::transaction::Transaction;

/// Connections of readers that were not used for this long are closed.
const IDLE: Duration = Duration::from_mins(1);

const COMMIT: &str = include_str!("heartbeat_commit.sql");
const REPLICA_LAG: &str = include_str!("replica_lag.sql");
const ALLOWED: &str = include_str!("allowed_connections.sql");

/// The connections that the server allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowedConnections {
    /// Connections for roles without privileges.
    pub allowed: usize,
    /// Those of other programs.
    pub others: usize,
    /// Those that this process wants at most.
    pub wanted: usize,
}

impl Postgres {
    /// Opens the connections of the writers, so that no reader can take their place, and closes those of readers that idle.
    ///
    /// # Errors
    /// [`StoreError`] where the writers cannot connect.
    pub async fn keep_connections(&self) -> Result<(), StoreError> {
        let mut held = Vec::with_capacity(WORKERS);
        for _ in 0..WORKERS {
            // A writer at work has one.
            if self.writers.status().available == 0 && self.writers.status().size >= WORKERS {
                break;
            }
            match self
                .writers_connection("keeping the writers' connections")
                .await
            {
                Ok(connection) => held.push(connection),
                Err(e) => {
                    // Readers that idle may be in the way.
                    self.pool.retain(|_, _| false);
                    return Err(e);
                }
            }
        }
        drop(held);
        self.pool.retain(|_, metrics| metrics.last_used() < IDLE);
        Ok(())
    }

    /// Whether reads work: the database answers and has the tables that this program was built for.
    ///
    /// # Errors
    /// [`MigrateError`], which says what to do.
    pub async fn heartbeat_read(&self) -> Result<(), MigrateError> {
        let client =
            self.heartbeat.get().await.map_err(|e| {
                MigrateError::of_connection(super::error::from_pool("a heartbeat", e))
            })?;
        migrate::check(&client).await
    }

    /// Whether a commit succeeds.
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
        let doing = "asking a replica for its lag";
        let client = self
            .heartbeat
            .get()
            .await
            .map_err(|e| super::error::from_pool(doing, e))?;
        let lag = async { client.query_one(REPLICA_LAG, &[]).await?.try_get("lag") };
        lag.await
            .map_err(|e| PgError::from(e).into_store_error(doing))
    }

    /// Compares the connections that the server allows with those that this process wants, and wants fewer readers where
    /// there are not enough.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn fit_connections(&self) -> Result<AllowedConnections, StoreError> {
        let doing = "asking for the server's limits";
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
        let wanted = readers + WORKERS + 1;
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
            wanted,
        })
    }
}
