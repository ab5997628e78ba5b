//! One session, one transaction: version, session, blocks, day summaries.

use deadpool_postgres::Object;
use futures_util::future::{try_join, try_join3};
use time_series_domain::ingest::{Digest, EncodedSession, OnConflict, Outcome};
use time_series_domain::ports::{StoreError, Stored};
use tokio_postgres::Row;

use super::day_summaries::merge_days;
use crate::postgres::block_rows::{BlockRow, copy_blocks};
use crate::postgres::error::{PgError, unreadable};
use crate::postgres::pool::Postgres;
use crate::postgres::session::{StoredSpan, delete_blocks};
use crate::postgres::transaction::Transaction;

pub(in crate::postgres) const RAISE_VERSION: &str = include_str!("raise_version.sql");
const LOCK_METRIC_TYPES: &str = include_str!("lock_metric_types.sql");
const GENERATION: &str = include_str!("generation.sql");
const STORED_SESSION: &str = include_str!("stored_session.sql");
const INSERT_SESSION: &str = include_str!("insert_session.sql");

impl Postgres {
    pub(in crate::postgres) async fn store_session(
        &self,
        session: &EncodedSession,
        on_conflict: OnConflict,
    ) -> Result<Stored, PgError> {
        let _turn = self.turn(session.user_id, "storing a session").await?;
        // Before the connection: who holds one must not wait for another.
        let chunks = self.chunks().await?;
        let client = self.connection("storing a session").await?;
        if let Some(chunks) = chunks {
            chunks.ensure(&client, session.blocks.iter().map(time_series_domain::block::Block::t_min)).await?;
        }
        let raise = client.prepare_cached(RAISE_VERSION).await?;
        let (transaction, row) = Transaction::begin_with(client, &raise, &[&session.user_id.0]).await?;
        let version = read_version(&row)?;

        let stored = lock_and_look(&transaction, session).await?;
        let outcome = match stored.map(|row| StoredAs::read(&row)).transpose()? {
            None => Outcome::Created,
            Some(stored) => {
                let outcome = match on_conflict {
                    _ if stored.digest == session.digest => Outcome::Unchanged,
                    OnConflict::Error => {
                        transaction.rollback().await?;
                        return Err(StoreError::SessionConflict.into());
                    }
                    OnConflict::Ignore => Outcome::Ignored,
                    OnConflict::Replace => Outcome::Replaced,
                };
                if outcome != Outcome::Replaced {
                    transaction.rollback().await?;
                    return Ok(Stored { outcome, version: version - 1 });
                }
                delete_blocks(&transaction, session.user_id, session.session_id, &stored.span).await?;
                outcome
            }
        };
        insert(&transaction, session).await?;
        transaction.commit().await?;
        Ok(Stored { outcome, version })
    }
}

/// Keeps the schemas as they are until the commit, and finds the session of that id.
async fn lock_and_look(client: &Object, session: &EncodedSession) -> Result<Option<Row>, PgError> {
    let types: Vec<i32> = session.metric_types().iter().map(|t| t.0).collect();
    let lock = client.prepare_cached(LOCK_METRIC_TYPES).await?;
    let generation = client.prepare_cached(GENERATION).await?;
    let find = client.prepare_cached(STORED_SESSION).await?;
    // Pipelined: the server runs them one after the other, each seeing what the one before waited for.
    let (_, generation, stored) = try_join3(
        client.query(&lock, &[&types]),
        client.query_one(&generation, &[]),
        client.query_opt(&find, &[&session.session_id.0, &session.user_id.0]),
    )
    .await?;
    let generation: i64 = generation.try_get(0).map_err(|e| unreadable("catalogue", "generation", e))?;
    if u64::try_from(generation).ok() != Some(session.generation) {
        return Err(StoreError::CatalogueChanged.into());
    }
    Ok(stored)
}

async fn insert(client: &Object, session: &EncodedSession) -> Result<(), PgError> {
    let rows: Vec<BlockRow<'_>> = session
        .blocks
        .iter()
        .map(|block| BlockRow { user_id: session.user_id, session_id: session.session_id, block })
        .collect();
    copy_blocks(client, &rows).await?;
    let span = session.span();
    let (t_min, t_max) = (span.map(|s| s.0.to_offset_date_time()), span.map(|s| s.1.to_offset_date_time()));
    let start_ts = session.start_ts.map(time_series_domain::Timestamp::to_offset_date_time);
    let points = i32::try_from(session.points).unwrap_or(i32::MAX);
    let types: Vec<i32> = session.metric_types().iter().map(|t| t.0).collect();
    let statement = client.prepare_cached(INSERT_SESSION).await?;
    let insert_session = async {
        let digest = session.digest.as_bytes();
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
            [&session.user_id.0, &session.session_id.0, &start_ts, &t_min, &t_max, &points, &digest, &types];
        client.execute(&statement, &params).await?;
        Ok(())
    };
    try_join(insert_session, merge_days(client, session.user_id, &session.day_summaries)).await?;
    Ok(())
}

/// What is known of the session that has the id already.
struct StoredAs {
    digest: Digest,
    span: StoredSpan,
}

impl StoredAs {
    fn read(row: &Row) -> Result<Self, PgError> {
        let digest: &[u8] = row.try_get("digest").map_err(|e| unreadable("session", "digest", e))?;
        Ok(Self {
            digest: Digest::from_bytes(digest).ok_or_else(|| unreadable("session", "digest", "not 17 bytes"))?,
            span: StoredSpan::read(row)?,
        })
    }
}

pub(in crate::postgres) fn read_version(row: &Row) -> Result<u64, PgError> {
    let version: i64 = row.try_get("version").map_err(|e| unreadable("user_version", "version", e))?;
    u64::try_from(version).map_err(|e| unreadable("user_version", "version", e))
}
