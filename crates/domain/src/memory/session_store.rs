//! [`SessionStore`] in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryStore, State, StoredRow, User};
use crate::block::{Block, BlockHeader, SeriesColumns, plan_append};
use crate::ingest::{
    AppendRecord, EncodedSession, IdempotencyKey, Outcome, SessionWrite, Stored, StoredSession,
    WriteConflict, WriteDecision, decide,
};
use crate::model::SeriesPoints;
use crate::ports::{SessionStore, SessionWriteError, StoreError, WriteError};
use crate::{
    MetricTypeId, SchemaVersion, SessionId, SessionPage, SessionPosition, SessionRecord, Timestamp,
    UserId, UtcDay,
};

#[async_trait]
impl SessionStore for MemoryStore {
    async fn write(
        &self,
        session: Arc<EncodedSession>,
        write: SessionWrite,
    ) -> Result<Stored, SessionWriteError> {
        let mut state = self.state();
        let user = state.user_of(&session)?;
        let existing = user.sessions.get_mut(&session.session_id);
        let stored = existing.as_deref().map(StoredRow::stored);
        let decision = decide(&write, &session, stored.as_ref())?;
        let key = write.key().cloned();
        Ok(match decision {
            WriteDecision::Replay(append) => append.replay(),
            WriteDecision::Keep(outcome) => Stored {
                outcome,
                version: user.version,
                total_points: existing.map_or(0, |row| row.record.points),
                is_replay: false,
            },
            WriteDecision::Write(Outcome::Appended) => {
                let row = existing.ok_or(WriteConflict::SessionAbsent)?;
                row.append(&session, key, &mut user.version)
            }
            WriteDecision::Write(outcome) => {
                user.version += 1;
                let row = StoredRow::new(&session, key, user.version);
                user.sessions.insert(session.session_id, row);
                Stored {
                    outcome,
                    version: user.version,
                    total_points: session.points,
                    is_replay: false,
                }
            }
        })
    }

    async fn delete(&self, user: UserId, session: SessionId) -> Result<Option<u64>, WriteError> {
        let mut state = self.state();
        let Some(user) = state.users.get_mut(&user) else {
            return Ok(None);
        };
        if user.sessions.remove(&session).is_none() {
            return Ok(None);
        }
        user.version += 1;
        Ok(Some(user.version))
    }

    async fn get(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<(SessionRecord, u64)>, StoreError> {
        let state = self.state();
        let found = state
            .users
            .get(&user)
            .and_then(|u| Some((u.sessions.get(&session)?.record.clone(), u.version)));
        Ok(found)
    }

    async fn owners(&self, session: SessionId) -> Result<Vec<UserId>, StoreError> {
        let state = self.state();
        let owning = state
            .users
            .iter()
            .filter(|(_, user)| user.sessions.contains_key(&session));
        Ok(owning.map(|(id, _)| *id).collect())
    }

    async fn list(
        &self,
        user: UserId,
        after: Option<SessionPosition>,
        limit: usize,
    ) -> Result<SessionPage, StoreError> {
        let state = self.state();
        let Some(user) = state.users.get(&user) else {
            return Ok(SessionPage {
                sessions: Vec::new(),
                next: None,
                version: 0,
            });
        };
        let mut sessions: Vec<&SessionRecord> = user.sessions.values().map(|s| &s.record).collect();
        sessions.sort_by_key(|s| sort_key(s.start_ts, s.session_id));
        let is_after = |s: &&SessionRecord| {
            after.is_none_or(|a| {
                sort_key(s.start_ts, s.session_id) > sort_key(a.start_ts, a.session_id)
            })
        };
        let mut page: Vec<SessionRecord> = sessions
            .into_iter()
            .filter(is_after)
            .take(limit + 1)
            .cloned()
            .collect();
        let has_more = page.len() > limit;
        page.truncate(limit);
        let last = page.last().map(|s| SessionPosition {
            start_ts: s.start_ts,
            session_id: s.session_id,
        });
        Ok(SessionPage {
            sessions: page,
            next: last.filter(|_| has_more),
            version: user.version,
        })
    }
}

impl State {
    /// Returns the user of a session, if the schemas that validated it are current.
    fn user_of(&mut self, session: &EncodedSession) -> Result<&mut User, SessionWriteError> {
        let is_current = |known: &SchemaVersion| {
            self.metric_types
                .iter()
                .any(|t| t.schema_version() == *known)
        };
        if !session.schemas.iter().all(is_current) {
            return Err(SessionWriteError::CatalogueChanged);
        }
        Ok(self.users.entry(session.user_id).or_default())
    }
}

impl StoredRow {
    fn new(session: &EncodedSession, key: Option<IdempotencyKey>, version: u64) -> Self {
        let first = key.map(|key| AppendRecord {
            points_digest: session.points_digest,
            key: Some(key),
            total_points: session.points,
            version,
            created: true,
        });
        Self {
            record: record(session),
            digest: session.digest(),
            blocks: session.blocks.clone(),
            appends: first.into_iter().collect(),
        }
    }

    fn stored(&self) -> StoredSession<'_> {
        StoredSession {
            digest: self.digest,
            extent: self.record.extent(),
            points: self.record.points,
            appends: &self.appends,
        }
    }

    fn append(
        &mut self,
        sent: &EncodedSession,
        key: Option<IdempotencyKey>,
        version: &mut u64,
    ) -> Stored {
        for appended in sent.appended() {
            for (day, appended) in appended.days() {
                self.append_day(day, &appended);
            }
        }
        let added = record(sent);
        let extent = self.record.extent().with_span(sent.span());
        self.record.points += sent.points;
        self.record.span = extent.span;
        for more in added.series {
            match self
                .record
                .series
                .iter_mut()
                .find(|known| known.metric_type == more.metric_type)
            {
                Some(known) => known.points += more.points,
                None => self.record.series.push(more),
            }
        }
        self.record.series.sort_by_key(|series| series.metric_type);
        *version += 1;
        let total_points = self.record.points;
        let points_digest = sent.points_digest;
        self.appends.push(AppendRecord {
            points_digest,
            key,
            total_points,
            version: *version,
            created: false,
        });
        Stored {
            outcome: Outcome::Appended,
            version: *version,
            total_points,
            is_replay: false,
        }
    }

    fn append_day(&mut self, day: UtcDay, appended: &SeriesColumns) {
        let is_of_day =
            |b: &Block| b.metric_type == appended.metric_type && b.t_min().utc_day() == day;
        let (mut stored, others) = std::mem::take(&mut self.blocks)
            .into_iter()
            .partition::<Vec<_>, _>(is_of_day);
        self.blocks = others;
        stored.sort_by_key(|block| (block.t_min(), block.seq));
        let headers: Vec<BlockHeader> = stored.iter().map(Block::header).collect();
        let clusters = plan_append(&headers, appended);
        for cluster in &clusters {
            let seq = self
                .blocks
                .iter()
                .chain(&stored)
                .map(|b| b.seq + 1)
                .max()
                .unwrap_or(0);
            self.blocks
                .extend(cluster.blocks(&stored[cluster.stored.clone()], appended, seq));
        }
        for (index, block) in stored.into_iter().enumerate() {
            let is_replaced = clusters.iter().any(|c| c.stored.contains(&index));
            if !is_replaced {
                self.blocks.push(block);
            }
        }
        self.blocks
            .sort_by_key(|b| (b.metric_type, b.t_min(), b.seq));
    }
}

/// Sort key: newest start first, sessions without a start last; then by descending id.
fn sort_key(
    start_ts: Option<Timestamp>,
    id: SessionId,
) -> (bool, Reverse<Option<Timestamp>>, Reverse<SessionId>) {
    (start_ts.is_none(), Reverse(start_ts), Reverse(id))
}

fn record(session: &EncodedSession) -> SessionRecord {
    let mut points: BTreeMap<MetricTypeId, u64> = BTreeMap::new();
    for block in &session.blocks {
        *points.entry(block.metric_type).or_default() += block.len() as u64;
    }
    SessionRecord {
        user_id: session.user_id,
        session_id: session.session_id,
        start_ts: session.start_ts,
        points: session.points,
        span: session.span(),
        series: points
            .into_iter()
            .map(|(metric_type, points)| SeriesPoints {
                metric_type,
                points,
            })
            .collect(),
        created_at: Timestamp::EPOCH,
    }
}
