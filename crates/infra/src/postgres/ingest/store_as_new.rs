//! Sessions that are new, as most are, in one round trip: everything is sent at once, and the database refuses it where
//! one is not.

use deadpool_postgres::Object;
use time_series_domain::ingest::{EncodedSession, Outcome};
use time_series_domain::ports::{StoreError, Stored};
use tokio_postgres::error::SqlState;

use super::day_summaries::{AddedDays, Merge};
use super::found::{Locks, versions_before};
use super::session_rows::SessionRows;
use super::turns::Pending;
use crate::postgres::block_rows::{BlockRow, FEW_BLOCKS, InsertBlocks};
use crate::postgres::error::PgError;
use crate::postgres::pipeline::send;
use crate::postgres::transaction::Transaction;

const LOCK_USERS: &str = include_str!("lock_users_or_fail.sql");
const INSERT_NEW_SESSIONS: &str = include_str!("insert_new_sessions.sql");

/// Whether sessions are likely to be new, and few enough to be sent at once.
pub(super) fn may_be_new(group: &[Pending]) -> bool {
    let blocks: usize = group
        .iter()
        .map(|pending| pending.session.blocks.len())
        .sum();
    blocks <= FEW_BLOCKS && !group.iter().any(|pending| pending.write.changes())
}

/// Stores sessions if all of them are new and the schemas of their metric types are as they were; else nothing.
pub(super) async fn store_as_new(
    client: Object,
    group: &[Pending],
) -> Result<Option<Vec<Result<Stored, StoreError>>>, PgError> {
    let transaction = Transaction::unopened(client);
    let client: &Object = &transaction;
    let (mut added, mut rows) = (AddedDays::new(), SessionRows::default());
    for session in group.iter().map(|pending| &pending.session) {
        rows.push(session);
        add_days(&mut added, session);
    }
    let blocks: Vec<BlockRow<'_>> = group
        .iter()
        .flat_map(|pending| BlockRow::of(&pending.session))
        .collect();
    let (lock, insert, merge, blocks) = (
        client.prepare_cached(LOCK_USERS).await?,
        client.prepare_cached(INSERT_NEW_SESSIONS).await?,
        Merge::prepare(client, &added).await?,
        InsertBlocks::prepare(client, &blocks).await?,
    );
    let locks = Locks::of(group);
    let (lock_params, sessions) = (locks.params(), rows.params_with(locks.schemas()));
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
    let raised = match transaction.end_behind(all).await? {
        Ok(raised) => raised,
        Err(e) if is_not_new(&e) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let mut versions = versions_before(&raised, group)?;
    let answer = |pending: &Pending| {
        let version = versions.entry(pending.session.user_id).or_default();
        *version += 1;
        let total_points = pending.session.points;
        Ok(Stored {
            outcome: Outcome::Created,
            version: *version,
            total_points,
            is_replay: false,
        })
    };
    Ok(Some(group.iter().map(answer).collect()))
}

/// What a session adds to its user's days.
pub(super) fn add_days(added: &mut AddedDays, session: &EncodedSession) {
    for day in &session.day_summaries {
        added
            .entry((session.user_id, day.channel, day.day))
            .or_default()
            .merge(&day.summary);
    }
}

/// A session of that id is there, or a metric type has another schema or is being changed.
fn is_not_new(e: &tokio_postgres::Error) -> bool {
    let is_it = |code| [SqlState::UNIQUE_VIOLATION, SqlState::DIVISION_BY_ZERO].contains(code);
    e.code().is_some_and(is_it)
}
