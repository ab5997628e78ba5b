//! Sessions of some users in one transaction: versions, sessions, day summaries, blocks.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::Object;
use time_series_domain::block::Block;
use time_series_domain::ingest::{EncodedSession, Outcome, WriteDecision};
use time_series_domain::ports::{StoreError, Stored};
use time_series_domain::{Summary, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::append::{Part, PartRows, merge_into_blocks};
use super::day_summaries::{AddedDays, Merge};
use super::found::{Found, lock_and_look};
use super::session_rows::SessionRows;
use super::store_as_new::{add_days, may_be_new, store_as_new};
use super::turns::Pending;
use crate::postgres::block_rows::{BlockRow, CopyBlocks, FEW_BLOCKS, InsertBlocks};
use crate::postgres::error::{PgError, unreadable};
use crate::postgres::pipeline::send;
use crate::postgres::pool::Postgres;
use crate::postgres::session::delete_blocks;
use crate::postgres::transaction::Transaction;

pub(in crate::postgres) const RAISE_VERSION: &str = include_str!("raise_version.sql");
const LOWER_VERSIONS: &str = include_str!("lower_versions.sql");
const INSERT_SESSIONS: &str = include_str!("insert_sessions.sql");

/// What a group writes.
#[derive(Default)]
struct Written<'a> {
    /// Sessions that are there as a whole, and those that get more points.
    sessions: Vec<&'a EncodedSession>,
    appends: Vec<&'a EncodedSession>,
    /// What is remembered: each append, and what made a session under a key.
    parts: Vec<Part<'a>>,
    /// The blocks of each append, put together with those that it changes.
    append_blocks: Vec<Vec<(Block, Vec<Summary>)>>,
    /// The users of sessions that change nothing, and how many those are.
    unchanged: Vec<UserId>,
}

impl Postgres {
    /// Stores sessions, those of a user one behind the other and no two of one id; what becomes of each.
    pub(super) async fn store_group(
        &self,
        group: &[Pending],
    ) -> Result<Vec<Result<Stored, StoreError>>, PgError> {
        // Before the connection: who holds one must not wait for another.
        let chunks = self.chunks().await?;
        if let Some(chunks) = chunks {
            let blocks = group.iter().flat_map(|p| &p.session.blocks);
            chunks.ensure(self, blocks.map(Block::t_min)).await?;
        }
        let client = self.writers_connection("storing a session").await?;
        let client = if may_be_new(group) {
            if let Some(answers) = store_as_new(client, group).await? {
                return Ok(answers);
            }
            self.writers_connection("storing a session").await?
        } else {
            client
        };
        let transaction = Transaction::unopened(client);
        let found = lock_and_look(&transaction, group).await?;
        let (mut written, mut answers) = (Written::default(), Vec::with_capacity(group.len()));
        let mut versions = found.versions.clone();
        let mut searches = false;
        for pending in group {
            let decision = found.decide(pending);
            searches |= matches!(
                decision,
                Ok(WriteDecision::Write(Outcome::Replaced | Outcome::Appended))
            );
            answers.push(written.add(pending, decision, &found, &mut versions));
        }
        if written.sessions.is_empty() && written.appends.is_empty() {
            transaction.rollback().await?;
            return Ok(answers);
        }
        if searches && chunks.is_some() {
            // Blocks that change or go away are looked for by time, among partitions.
            transaction
                .batch_execute("SET LOCAL plan_cache_mode = force_custom_plan")
                .await?;
        }
        for (pending, answer) in group.iter().zip(&answers) {
            let is_replaced = matches!(
                answer,
                Ok(Stored {
                    outcome: Outcome::Replaced,
                    ..
                })
            );
            if let Some(stored) = found.session(pending).filter(|_| is_replaced) {
                delete_blocks(
                    &transaction,
                    pending.session.user_id,
                    pending.session.session_id,
                    &stored.span,
                )
                .await?;
            }
        }
        for append in &written.appends {
            let blocks = merge_into_blocks(&transaction, append).await?;
            let summarised = |block: Block| {
                let summaries = block.summarise();
                (block, summaries)
            };
            written
                .append_blocks
                .push(blocks.into_iter().map(summarised).collect());
        }
        Box::pin(written.insert_and_commit(transaction)).await?;
        Ok(answers)
    }
}

impl<'a> Written<'a> {
    /// Adds a write by its decision; returns its answer.
    fn add(
        &mut self,
        pending: &'a Pending,
        decision: Result<WriteDecision, StoreError>,
        found: &Found,
        versions: &mut HashMap<UserId, u64>,
    ) -> Result<Stored, StoreError> {
        let session: &EncodedSession = &pending.session;
        let version = versions.entry(session.user_id).or_default();
        let stored = found.session(pending).map_or(0, |stored| stored.points);
        let outcome = match decision {
            Ok(WriteDecision::Write(outcome)) => outcome,
            unchanged => {
                self.unchanged.push(session.user_id);
                return Ok(match unchanged? {
                    WriteDecision::Replay(part) => part.again(),
                    WriteDecision::Keep(outcome) | WriteDecision::Write(outcome) => Stored {
                        outcome,
                        version: *version,
                        total_points: stored,
                        is_replay: false,
                    },
                });
            }
        };
        *version += 1;
        let mut total_points = session.points;
        let (key, created) = (pending.write.key(), outcome == Outcome::Created);
        if outcome == Outcome::Appended {
            total_points += stored;
            self.appends.push(session);
        } else {
            self.sessions.push(session);
        }
        if outcome == Outcome::Appended || (created && key.is_some()) {
            self.parts.push(Part {
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

    async fn insert_and_commit(self, transaction: Transaction) -> Result<(), PgError> {
        let client: &Object = &transaction;
        let (mut added, mut rows) = (AddedDays::new(), SessionRows::default());
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
        let (insert, merge, lower) = (
            client.prepare_cached(INSERT_SESSIONS).await?,
            Merge::prepare(client, &added).await?,
            client.prepare_cached(LOWER_VERSIONS).await?,
        );
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
        let parts = PartRows::prepare(client, &self.parts).await?;
        let rows = async {
            let inserted = send(insert_sessions).await?;
            let lowered = send(lower_versions).await?;
            let parts = send(parts.run(client)).await?;
            let merged = send(merge.run(client)).await?;
            inserted.await?;
            lowered.await?;
            parts.await?;
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
            return transaction.commit_behind(all).await;
        }
        // Two round trips: everything up to the begin of COPY, then its rows and the commit. Nothing may be sent between.
        let rows = send(rows).await?;
        let copy = send(CopyBlocks::begin(client)).await?;
        rows.await?;
        transaction.commit_behind(copy.await?.write(&blocks)).await
    }
}

/// How often each user is there; users ascending.
pub(super) fn by_user(users: impl Iterator<Item = UserId>) -> BTreeMap<Uuid, i64> {
    let mut counts = BTreeMap::new();
    users.for_each(|user| *counts.entry(user.0).or_default() += 1);
    counts
}

pub(in crate::postgres) fn read_version(row: &Row) -> Result<u64, PgError> {
    let version: i64 = row
        .try_get("version")
        .map_err(|e| unreadable("user_version", "version", e))?;
    u64::try_from(version).map_err(|e| unreadable("user_version", "version", e))
}
