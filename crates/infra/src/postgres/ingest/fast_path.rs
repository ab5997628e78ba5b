//! Fast path for batches of new sessions: one round trip, in which the database rejects the batch
//! if a session is not new.

use deadpool_postgres::Object;
use time_series_domain::ingest::{EncodedSession, Outcome, Stored};
use tokio_postgres::error::SqlState;

use super::day_summaries::{AddedDays, Merge};
use super::existing_state::{Locks, versions_before};
use super::session_rows::SessionRows;
use super::write_queue::{QueuedWrite, Written};
use crate::postgres::block_rows::{BlockRow, FEW_BLOCKS, InsertBlocks};
use crate::postgres::error::PgError;
use crate::postgres::pipeline::send;
use crate::postgres::transaction::Transaction;

const LOCK_USERS: &str = include_str!("lock_users_or_fail.sql");
const INSERT_NEW_SESSIONS: &str = include_str!("insert_new_sessions.sql");

/// Returns whether the sessions may all be new and are small enough to be sent at once.
pub(super) fn is_fast_path(writes: &[QueuedWrite]) -> bool {
    let blocks: usize = writes.iter().map(|write| write.session.blocks.len()).sum();
    blocks <= FEW_BLOCKS && !writes.iter().any(|write| write.write.changes())
}

/// Stores sessions if all of them are new and their schemas are current; returns `None` and stores
/// nothing otherwise.
pub(super) async fn store_new_sessions(
    client: Object,
    writes: &[QueuedWrite],
) -> Result<Option<Vec<Written>>, PgError> {
    let transaction = Transaction::unopened(client);
    let client: &Object = &transaction;
    let mut added = AddedDays::new();
    let mut rows = SessionRows::default();
    for session in writes.iter().map(|write| &write.session) {
        rows.push(session);
        add_days(&mut added, session);
    }
    let blocks: Vec<BlockRow<'_>> = writes
        .iter()
        .flat_map(|write| BlockRow::of(&write.session))
        .collect();
    let lock = client.prepare_cached(LOCK_USERS).await?;
    let insert = client.prepare_cached(INSERT_NEW_SESSIONS).await?;
    let merge = Merge::prepare(client, &added).await?;
    let blocks = InsertBlocks::prepare(client, &blocks).await?;
    let locks = Locks::of(writes);
    let lock_params = locks.params();
    let sessions = rows.params_with(locks.schemas());
    let all = async {
        let opened = send(transaction.open()).await?;
        let raised = send(client.query(&lock, &lock_params)).await?;
        let inserted = send(client.execute(&insert, &sessions)).await?;
        let merged = send(merge.run(client)).await?;
        let blocks = send(blocks.run(client)).await?;
        opened.await?;
        let raised = raised.await?;
        inserted.await?;
        merged.await?;
        blocks.await?;
        Ok(raised)
    };
    let raised = match transaction.commit_or_reject(all).await? {
        Ok(raised) => raised,
        Err(e) if is_not_new(&e) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let mut versions = versions_before(&raised, writes)?;
    let mut results = Vec::with_capacity(writes.len());
    for write in writes {
        let version = versions.entry(write.session.user_id).or_default();
        *version += 1;
        results.push(Ok(Stored {
            outcome: Outcome::Created,
            version: *version,
            total_points: write.session.points,
            is_replay: false,
        }));
    }
    Ok(Some(results))
}

/// Adds the day summaries of a session to those of the batch.
pub(super) fn add_days(added: &mut AddedDays, session: &EncodedSession) {
    for day in &session.day_summaries {
        added
            .entry((session.user_id, day.channel, day.day))
            .or_default()
            .merge(&day.summary);
    }
}

/// Returns whether a session is stored already, or a metric type changed or is being changed.
/// `insert_new_sessions.sql` and `lock_users_or_fail.sql` divide by zero for the latter.
fn is_not_new(e: &tokio_postgres::Error) -> bool {
    let codes = [SqlState::UNIQUE_VIOLATION, SqlState::DIVISION_BY_ZERO];
    e.code().is_some_and(|code| codes.contains(code))
}
