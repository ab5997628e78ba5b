//! Creates the partitions (chunks) of a hypertable.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use deadpool_postgres::Object;
use time_series_domain::Timestamp;

use super::error::PgError;
use super::pool::Postgres;
use super::transaction::Transaction;

const HAS_EXTENSION: &str = include_str!("timescaledb_version.sql");
const CHUNK_INTERVAL: &str = include_str!("chunk_interval.sql");
const CREATE_CHUNK: &str = include_str!("create_chunk.sql");

/// The chunks that are known to exist. Each chunk is created in a transaction of its own, because
/// its creation locks the whole table.
pub(super) struct Chunks {
    interval_micros: i64,
    /// Intervals since the epoch that have a chunk.
    known: Mutex<BTreeSet<i64>>,
}

impl Chunks {
    /// Returns `None` if `block` is a plain table.
    pub(super) async fn detect(client: &Object) -> Result<Option<Self>, tokio_postgres::Error> {
        if client.query_opt(HAS_EXTENSION, &[]).await?.is_none() {
            return Ok(None);
        }
        let row = client.query_opt(CHUNK_INTERVAL, &[]).await?;
        let chunks = |row: tokio_postgres::Row| Self {
            interval_micros: row.get(0),
            known: Mutex::default(),
        };
        Ok(row.map(chunks))
    }

    /// Creates the chunks for blocks that start at `times`, unless they are known to exist.
    pub(super) async fn ensure(
        &self,
        postgres: &Postgres,
        times: impl IntoIterator<Item = Timestamp>,
    ) -> Result<(), PgError> {
        let missing: Vec<(i64, Timestamp)> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let numbered = times
                .into_iter()
                .map(|t| (t.micros().div_euclid(self.interval_micros), t));
            let mut missing: Vec<_> = numbered
                .filter(|(number, _)| !known.contains(number))
                .collect();
            missing.sort_unstable();
            missing.dedup_by_key(|(number, _)| *number);
            missing
        };
        for (number, time) in missing {
            let transaction =
                Transaction::begin(postgres.writers_connection("creating a partition").await?)
                    .await?;
            transaction
                .execute(CREATE_CHUNK, &[&time.to_offset_date_time()])
                .await?;
            transaction.commit().await?;
            self.known
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(number);
        }
        Ok(())
    }
}
