//! Sessions of some users in one transaction: versions, sessions, day summaries, blocks.

use std::collections::HashMap;

use deadpool_postgres::Object;
use futures_util::future::{try_join4, try_join5};
use time::OffsetDateTime;
use time_series_domain::block::Block;
use time_series_domain::ingest::{Digest, EncodedSession, OnConflict, Outcome};
use time_series_domain::ports::{StoreError, Stored};
use time_series_domain::{SessionId, Timestamp, UserId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::day_summaries::{AddedDays, Merge};
use super::turns::Pending;
use crate::postgres::block_rows::{BlockRow, CopyBlocks};
use crate::postgres::error::{PgError, unreadable};
use crate::postgres::pool::Postgres;
use crate::postgres::session::{StoredSpan, delete_blocks};
use crate::postgres::transaction::Transaction;

pub(in crate::postgres) const RAISE_VERSION: &str = include_str!("raise_version.sql");
const RAISE_VERSIONS: &str = include_str!("raise_versions.sql");
const LOWER_VERSIONS: &str = include_str!("lower_versions.sql");
const LOCK_METRIC_TYPES: &str = include_str!("lock_metric_types.sql");
const GENERATION: &str = include_str!("generation.sql");
const STORED_SESSIONS: &str = include_str!("stored_sessions.sql");
const INSERT_SESSIONS: &str = include_str!("insert_sessions.sql");

impl Postgres {
    /// Stores sessions, those of a user one behind the other and no two of one id; what becomes of each.
    pub(super) async fn store_group(&self, group: &[Pending]) -> Result<Vec<Result<Stored, StoreError>>, PgError> {
        // Before the connection: who holds one must not wait for another.
        let chunks = self.chunks().await?;
        let client = self.writers_connection("storing a session").await?;
        if let Some(chunks) = chunks {
            let blocks = group.iter().flat_map(|p| &p.session.blocks);
            chunks.ensure(&client, blocks.map(Block::t_min)).await?;
        }
        let transaction = Transaction::unopened(client);
        let found = lock_and_look(&transaction, group).await?;
        let verdicts: Vec<_> = group.iter().map(|pending| found.verdict(pending)).collect();
        let written: Vec<&EncodedSession> =
            group.iter().zip(&verdicts).filter(|(_, v)| writes(v)).map(|(p, _)| &*p.session).collect();
        let mut versions = found.versions_before(group);
        if written.is_empty() {
            transaction.rollback().await?;
        } else {
            if written.len() > verdicts.iter().filter(|v| matches!(v, Ok(Outcome::Created))).count() {
                // Blocks that go away are looked for by time, among partitions.
                transaction.batch_execute("SET LOCAL plan_cache_mode = force_custom_plan").await?;
            }
            for session in &written {
                if let Some(stored) = found.stored.get(&(session.user_id, session.session_id)) {
                    delete_blocks(&transaction, session.user_id, session.session_id, &stored.span).await?;
                }
            }
            let lowered = lowered(group, &verdicts);
            insert_and_commit(transaction, &written, &lowered).await?;
        }
        let answer = |(pending, verdict): (&Pending, Result<Outcome, StoreError>)| {
            let version = versions.entry(pending.session.user_id).or_default();
            *version += u64::from(writes(&verdict));
            verdict.map(|outcome| Stored { outcome, version: *version })
        };
        Ok(group.iter().zip(verdicts).map(answer).collect())
    }
}

const fn writes(verdict: &Result<Outcome, StoreError>) -> bool {
    matches!(verdict, Ok(Outcome::Created | Outcome::Replaced))
}

/// What is there once the users are locked.
struct Found {
    generation: u64,
    /// As raised by one for each session of the group.
    versions: HashMap<UserId, u64>,
    stored: HashMap<(UserId, SessionId), StoredAs>,
}

/// What is known of the session that has the id already.
struct StoredAs {
    digest: Digest,
    span: StoredSpan,
}

/// Locks the users, keeps the schemas as they are until the commit, and finds the sessions of those ids.
async fn lock_and_look(transaction: &Transaction, group: &[Pending]) -> Result<Found, PgError> {
    let counts = by_user(group.iter().map(|p| p.session.user_id));
    let (users, by): (Vec<Uuid>, Vec<i64>) = counts.into_iter().unzip();
    let mut types: Vec<i32> = group.iter().flat_map(|p| p.session.metric_types()).map(|t| t.0).collect();
    types.sort_unstable();
    types.dedup();
    let (ids, owners): (Vec<Uuid>, Vec<Uuid>) =
        group.iter().map(|p| (p.session.session_id.0, p.session.user_id.0)).unzip();
    let client: &Object = transaction;
    let (raise, lock, generation, find) = (
        client.prepare_cached(RAISE_VERSIONS).await?,
        client.prepare_cached(LOCK_METRIC_TYPES).await?,
        client.prepare_cached(GENERATION).await?,
        client.prepare_cached(STORED_SESSIONS).await?,
    );
    // Pipelined. READ COMMITTED: the users' rows are locked first, what follows sees what that waited for.
    let raise_params: [&(dyn ToSql + Sync); 2] = [&users, &by];
    let ((), raised, _, generation, stored) = try_join5(
        transaction.open(),
        client.query(&raise, &raise_params),
        client.query(&lock, &[&types]),
        client.query_one(&generation, &[]),
        client.query(&find, &[&ids, &owners]),
    )
    .await?;
    let generation: i64 = generation.try_get(0).map_err(|e| unreadable("catalogue", "generation", e))?;
    let version = |row: &Row| {
        let user = row.try_get("user_id").map_err(|e| unreadable("user_version", "user_id", e))?;
        Ok::<_, PgError>((UserId(user), read_version(row)?))
    };
    Ok(Found {
        generation: u64::try_from(generation).map_err(|e| unreadable("catalogue", "generation", e))?,
        versions: raised.iter().map(version).collect::<Result<_, _>>()?,
        stored: stored.iter().map(StoredAs::read).collect::<Result<_, _>>()?,
    })
}

impl Found {
    /// What becomes of a session.
    fn verdict(&self, pending: &Pending) -> Result<Outcome, StoreError> {
        let session = &pending.session;
        if session.generation != self.generation {
            return Err(StoreError::CatalogueChanged);
        }
        match (self.stored.get(&(session.user_id, session.session_id)), pending.on_conflict) {
            (None, _) => Ok(Outcome::Created),
            (Some(stored), _) if stored.digest == session.digest => Ok(Outcome::Unchanged),
            (Some(_), OnConflict::Error) => Err(StoreError::SessionConflict),
            (Some(_), OnConflict::Ignore) => Ok(Outcome::Ignored),
            (Some(_), OnConflict::Replace) => Ok(Outcome::Replaced),
        }
    }

    /// The users' versions before the first session of the group.
    fn versions_before(&self, group: &[Pending]) -> HashMap<UserId, u64> {
        let mut versions = self.versions.clone();
        for pending in group {
            versions.entry(pending.session.user_id).and_modify(|version| *version -= 1);
        }
        versions
    }
}

/// How often each user is there; users ascending.
fn by_user(users: impl Iterator<Item = UserId>) -> std::collections::BTreeMap<Uuid, i64> {
    let mut counts = std::collections::BTreeMap::new();
    users.for_each(|user| *counts.entry(user.0).or_default() += 1);
    counts
}

/// The users of sessions that change nothing, and how many those are.
fn lowered(group: &[Pending], verdicts: &[Result<Outcome, StoreError>]) -> (Vec<Uuid>, Vec<i64>) {
    let unwritten = group.iter().zip(verdicts).filter(|(_, v)| !writes(v));
    by_user(unwritten.map(|(p, _)| p.session.user_id)).into_iter().unzip()
}

async fn insert_and_commit(
    transaction: Transaction,
    sessions: &[&EncodedSession],
    lowered: &(Vec<Uuid>, Vec<i64>),
) -> Result<(), PgError> {
    let client: &Object = &transaction;
    let mut added = AddedDays::new();
    for session in sessions {
        for day in &session.day_summaries {
            let key = (session.user_id, day.channel, day.day);
            added.entry(key).or_default().merge(&day.summary);
        }
    }
    let rows = SessionRows::new(sessions);
    let blocks: Vec<BlockRow<'_>> = sessions.iter().flat_map(|session| BlockRow::of(session)).collect();
    let (insert, merge, lower) = (
        client.prepare_cached(INSERT_SESSIONS).await?,
        Merge::prepare(client, &added).await?,
        client.prepare_cached(LOWER_VERSIONS).await?,
    );
    let insert_sessions = async { client.execute(&insert, &rows.params()).await.map(drop) };
    let lower_versions = async {
        if !lowered.0.is_empty() {
            client.execute(&lower, &[&lowered.0, &lowered.1]).await?;
        }
        Ok(())
    };
    // Two round trips: everything up to the begin of COPY, then its rows and the commit.
    let ((), (), (), copy) =
        try_join4(insert_sessions, lower_versions, merge.run(client), CopyBlocks::begin(client, &blocks)).await?;
    transaction.commit_behind(copy.write(&blocks)).await
}

/// Rows of the table `session`, as columns.
#[derive(Default)]
struct SessionRows<'a> {
    user_id: Vec<Uuid>,
    session_id: Vec<Uuid>,
    start_ts: Vec<Option<OffsetDateTime>>,
    t_min: Vec<Option<OffsetDateTime>>,
    t_max: Vec<Option<OffsetDateTime>>,
    point_count: Vec<i32>,
    digest: Vec<&'a [u8]>,
    metric_types: Vec<String>,
}

impl<'a> SessionRows<'a> {
    fn new(sessions: &[&'a EncodedSession]) -> Self {
        let mut rows = Self::default();
        for session in sessions {
            let span = session.span();
            let types: Vec<String> = session.metric_types().iter().map(|t| t.0.to_string()).collect();
            rows.user_id.push(session.user_id.0);
            rows.session_id.push(session.session_id.0);
            rows.start_ts.push(session.start_ts.map(Timestamp::to_offset_date_time));
            rows.t_min.push(span.map(|s| s.0.to_offset_date_time()));
            rows.t_max.push(span.map(|s| s.1.to_offset_date_time()));
            rows.point_count.push(i32::try_from(session.points).unwrap_or(i32::MAX));
            rows.digest.push(session.digest.as_bytes());
            rows.metric_types.push(format!("{{{}}}", types.join(",")));
        }
        rows
    }

    fn params(&self) -> [&(dyn ToSql + Sync); 8] {
        [
            &self.user_id,
            &self.session_id,
            &self.start_ts,
            &self.t_min,
            &self.t_max,
            &self.point_count,
            &self.digest,
            &self.metric_types,
        ]
    }
}

impl StoredAs {
    fn read(row: &Row) -> Result<((UserId, SessionId), Self), PgError> {
        let id = |name| row.try_get::<_, Uuid>(name).map_err(|e| unreadable("session", name, e));
        let digest: &[u8] = row.try_get("digest").map_err(|e| unreadable("session", "digest", e))?;
        let stored = Self {
            digest: Digest::from_bytes(digest).ok_or_else(|| unreadable("session", "digest", "not 17 bytes"))?,
            span: StoredSpan::read(row)?,
        };
        Ok(((UserId(id("user_id")?), SessionId(id("session_id")?)), stored))
    }
}

pub(in crate::postgres) fn read_version(row: &Row) -> Result<u64, PgError> {
    let version: i64 = row.try_get("version").map_err(|e| unreadable("user_version", "version", e))?;
    u64::try_from(version).map_err(|e| unreadable("user_version", "version", e))
}
