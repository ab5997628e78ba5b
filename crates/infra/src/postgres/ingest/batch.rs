//! Stores a batch of writes in one transaction: user versions, sessions, day summaries, blocks.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::Object;
use time_series_domain::block::Block;
use time_series_domain::ingest::{EncodedSession, Outcome, Stored, WriteDecision};
use time_series_domain::ports::SessionWriteError;
use time_series_domain::{Summary, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::append::{AppendRow, AppendRows, merge_into_blocks};
use super::day_summaries::{AddedDays, Merge};
use super::existing_state::{ExistingState, lock_and_load};
use super::fast_path::{add_days, is_fast_path, store_new_sessions};
use super::session_rows::SessionRows;
use super::write_queue::{QueuedWrite, Written};
use crate::postgres::block_rows::{BlockRow, CopyBlocks, FEW_BLOCKS, InsertBlocks};
use crate::postgres::error::{PgError, corrupt};
use crate::postgres::pipeline::send;
use crate::postgres::pool::Postgres;
use crate::postgres::session::delete_blocks;
use crate::postgres::transaction::Transaction;

pub(in crate::postgres) const RAISE_VERSION: &str = include_str!("raise_version.sql");
const LOWER_VERSIONS: &str = include_str!("lower_versions.sql");
const INSERT_SESSIONS: &str = include_str!("insert_sessions.sql");
/// Blocks to change or delete are selected by time. A generic plan would scan all partitions.
const PLAN_FOR_PARTITIONS: &str = "SET LOCAL plan_cache_mode = force_custom_plan";

/// The changes of a batch.
#[derive(Default)]
struct BatchChanges<'a> {
    /// Sessions to insert.
    sessions: Vec<&'a EncodedSession>,
    /// Points to add to stored sessions.
    appends: Vec<&'a EncodedSession>,
    /// Records of the appends, and of the sessions that were created under a key.
    append_rows: Vec<AppendRow<'a>>,
    /// For each append, the blocks that replace those it changes, with their summaries.
    append_blocks: Vec<Vec<(Block, Vec<Summary>)>>,
    /// The user of each write that changes nothing.
    unchanged: Vec<UserId>,
    /// Writes whose stored sessions are deleted first.
    replaced: Vec<&'a QueuedWrite>,
}

impl Postgres {
    /// Stores writes of some users, those of each user in order, no two of one session id.
    pub(super) async fn store_batch(
        &self,
        writes: &[QueuedWrite],
    ) -> Result<Vec<Written>, PgError> {
        // Before a connection is taken: a holder of a connection must not wait for another one.
        let chunks = self.chunks().await?;
        if let Some(chunks) = chunks {
            let blocks = writes.iter().flat_map(|write| &write.session.blocks);
            chunks.ensure(self, blocks.map(Block::t_min)).await?;
        }
        if is_fast_path(writes) {
            let client = self.writers_connection("storing a session").await?;
            if let Some(stored) = store_new_sessions(client, writes).await? {
                return Ok(stored);
            }
        }
        let client = self.writers_connection("storing a session").await?;
        let transaction = Transaction::unopened(client);
        let existing = lock_and_load(&transaction, writes).await?;
        let mut changes = BatchChanges::default();
        let mut versions = existing.versions.clone();
        let results: Vec<Written> = writes
            .iter()
            .map(|write| changes.add(write, &existing, &mut versions))
            .collect();
        if changes.is_empty() {
            transaction.rollback().await?;
            return Ok(results);
        }
        if chunks.is_some() && changes.searches_blocks() {
            transaction.batch_execute(PLAN_FOR_PARTITIONS).await?;
        }
        changes.delete_replaced(&transaction, &existing).await?;
        changes.merge_appends(&transaction).await?;
        Box::pin(changes.insert_and_commit(transaction)).await?;
        Ok(results)
    }
}

impl<'a> BatchChanges<'a> {
    /// Adds a write as decided and returns its result.
    fn add(
        &mut self,
        write: &'a QueuedWrite,
        existing: &ExistingState,
        versions: &mut HashMap<UserId, u64>,
    ) -> Result<Stored, SessionWriteError> {
        let session: &EncodedSession = &write.session;
        let version = versions.entry(session.user_id).or_default();
        let stored_points = existing.session(write).map_or(0, |stored| stored.points);
        let outcome = match existing.decide(write) {
            Ok(WriteDecision::Write(outcome)) => outcome,
            Ok(WriteDecision::Keep(outcome)) => {
                self.unchanged.push(session.user_id);
                return Ok(Stored {
                    outcome,
                    version: *version,
                    total_points: stored_points,
                    is_replay: false,
                });
            }
            Ok(WriteDecision::Replay(append)) => {
                self.unchanged.push(session.user_id);
                return Ok(append.replay());
            }
            Err(e) => {
                self.unchanged.push(session.user_id);
                return Err(e);
            }
        };
        *version += 1;
        let mut total_points = session.points;
        if outcome == Outcome::Appended {
            total_points += stored_points;
            self.appends.push(session);
        } else {
            self.sessions.push(session);
        }
        if outcome == Outcome::Replaced {
            self.replaced.push(write);
        }
        let (key, created) = (write.write.key(), outcome == Outcome::Created);
        if outcome == Outcome::Appended || (created && key.is_some()) {
            self.append_rows.push(AppendRow {
                session,
                key,
                total_points,
                version: *version,
                created,
            });
        }
        Ok(Stored {
            outcome,
            version: *version,
            total_points,
            is_replay: false,
        })
    }

    const fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.appends.is_empty()
    }

    /// Returns whether stored blocks are changed or deleted.
    const fn searches_blocks(&self) -> bool {
        !self.replaced.is_empty() || !self.appends.is_empty()
    }

    async fn delete_replaced(
        &self,
        client: &Object,
        existing: &ExistingState,
    ) -> Result<(), PgError> {
        for write in &self.replaced {
            if let Some(stored) = existing.session(write) {
                let session = &write.session;
                delete_blocks(client, session.user_id, session.session_id, &stored.span).await?;
            }
        }
        Ok(())
    }

    async fn merge_appends(&mut self, client: &Object) -> Result<(), PgError> {
        for append in &self.appends {
            let mut merged = Vec::new();
            for block in merge_into_blocks(client, append).await? {
                let summaries = block.summarise();
                merged.push((block, summaries));
            }
            self.append_blocks.push(merged);
        }
        Ok(())
    }

    async fn insert_and_commit(self, transaction: Transaction) -> Result<(), PgError> {
        let client: &Object = &transaction;
        let mut added = AddedDays::new();
        let mut rows = SessionRows::default();
        for session in self.sessions.iter().chain(&self.appends) {
            add_days(&mut added, session);
        }
        self.sessions.iter().for_each(|session| rows.push(session));
        let of_sessions = self
            .sessions
            .iter()
            .flat_map(|session| BlockRow::of(session));
        let of_appends = self.appends.iter().zip(&self.append_blocks);
        let of_appends = of_appends.flat_map(|(append, blocks)| BlockRow::of_part(append, blocks));
        let blocks: Vec<BlockRow<'_>> = of_sessions.chain(of_appends).collect();
        let (users, by): (Vec<Uuid>, Vec<i64>) =
            by_user(self.unchanged.iter().copied()).into_iter().unzip();
        let insert = client.prepare_cached(INSERT_SESSIONS).await?;
        let merge = Merge::prepare(client, &added).await?;
        let lower = client.prepare_cached(LOWER_VERSIONS).await?;
        let insert_sessions = async {
            if !rows.is_empty() {
                client.execute(&insert, &rows.params()).await?;
            }
            Ok::<_, tokio_postgres::Error>(())
        };
        let lower_versions = async {
            if !users.is_empty() {
                client.execute(&lower, &[&users, &by]).await?;
            }
            Ok::<_, tokio_postgres::Error>(())
        };
        let appends = AppendRows::prepare(client, &self.append_rows).await?;
        let rows = async {
            let inserted = send(insert_sessions).await?;
            let lowered = send(lower_versions).await?;
            let appends = send(appends.run(client)).await?;
            let merged = send(merge.run(client)).await?;
            inserted.await?;
            lowered.await?;
            appends.await?;
            merged.await
        };
        if blocks.len() <= FEW_BLOCKS {
            let few = InsertBlocks::prepare(client, &blocks).await?;
            let all = async {
                let rows = send(rows).await?;
                let blocks = send(few.run(client)).await?;
                rows.await?;
                Ok(blocks.await?)
            };
            return transaction.commit_pipelined(all).await;
        }
        // Two round trips: the statements up to the start of COPY, then its rows and the commit. No
        // other statement may be sent in between.
        let rows = send(rows).await?;
        let copy = send(CopyBlocks::begin(client)).await?;
        rows.await?;
        transaction
            .commit_pipelined(copy.await?.write(&blocks))
            .await
    }
}

/// Returns the number of occurrences of each user, in ascending order of users.
pub(super) fn by_user(users: impl Iterator<Item = UserId>) -> BTreeMap<Uuid, i64> {
    let mut counts = BTreeMap::new();
    users.for_each(|user| *counts.entry(user.0).or_default() += 1);
    counts
}

pub(in crate::postgres) fn read_version(row: &Row) -> Result<u64, PgError> {
    let version: i64 = row
        .try_get("version")
        .map_err(|e| corrupt("user_version", "version", e))?;
    u64::try_from(version).map_err(|e| corrupt("user_version", "version", e))
}
