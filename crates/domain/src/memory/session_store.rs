//! Sessions in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::{KeptSession, MemoryStore};
use crate::ingest::{EncodedSession, OnConflict, Outcome};
use crate::ports::{SessionStore, StoreError, Stored};
use crate::session::SeriesPoints;
use crate::{MetricTypeId, SessionId, SessionPage, SessionPosition, SessionRecord, Timestamp, UserId};

#[async_trait]
impl SessionStore for MemoryStore {
    async fn store(&self, session: Arc<EncodedSession>, on_conflict: OnConflict) -> Result<Stored, StoreError> {
        let mut state = self.state();
        if state.generation != session.generation {
            return Err(StoreError::CatalogueChanged);
        }
        let user = state.users.entry(session.user_id).or_default();
        let known = user.sessions.get(&session.session_id);
        let unwritten = |outcome| Ok(Stored { outcome, version: user.version });
        let outcome = match (known, on_conflict) {
            (None, _) => Outcome::Created,
            (Some(known), _) if known.digest == session.digest => return unwritten(Outcome::Unchanged),
            (Some(_), OnConflict::Error) => return Err(StoreError::SessionConflict),
            (Some(_), OnConflict::Ignore) => return unwritten(Outcome::Ignored),
            (Some(_), OnConflict::Replace) => Outcome::Replaced,
        };
        let kept = KeptSession { record: record(&session), digest: session.digest, blocks: session.blocks.clone() };
        user.sessions.insert(session.session_id, kept);
        user.version += 1;
        Ok(Stored { outcome, version: user.version })
    }

    async fn delete(&self, user: UserId, session: SessionId) -> Result<Option<u64>, StoreError> {
        let mut state = self.state();
        let Some(user) = state.users.get_mut(&user) else { return Ok(None) };
        if user.sessions.remove(&session).is_none() {
            return Ok(None);
        }
        user.version += 1;
        Ok(Some(user.version))
    }

    async fn get(&self, user: UserId, session: SessionId) -> Result<Option<(SessionRecord, u64)>, StoreError> {
        let state = self.state();
        let found = state.users.get(&user).and_then(|u| Some((u.sessions.get(&session)?.record.clone(), u.version)));
        Ok(found)
    }

    async fn owners(&self, session: SessionId) -> Result<Vec<UserId>, StoreError> {
        let state = self.state();
        let owning = state.users.iter().filter(|(_, user)| user.sessions.contains_key(&session));
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
            return Ok(SessionPage { sessions: Vec::new(), next: None, version: 0 });
        };
        let mut sessions: Vec<&SessionRecord> = user.sessions.values().map(|s| &s.record).collect();
        sessions.sort_by_key(|s| order(s.start_ts, s.session_id));
        let behind = |s: &&SessionRecord| {
            after.is_none_or(|a| order(s.start_ts, s.session_id) > order(a.start_ts, a.session_id))
        };
        let mut page: Vec<SessionRecord> = sessions.into_iter().filter(behind).take(limit + 1).cloned().collect();
        let more = page.len() > limit;
        page.truncate(limit);
        let last = page.last().map(|s| SessionPosition { start_ts: s.start_ts, session_id: s.session_id });
        Ok(SessionPage { sessions: page, next: last.filter(|_| more), version: user.version })
    }
}

/// Newest start first, no start last; then by descending id.
fn order(start_ts: Option<Timestamp>, id: SessionId) -> (bool, Reverse<Option<Timestamp>>, Reverse<SessionId>) {
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
        series: points.into_iter().map(|(metric_type, points)| SeriesPoints { metric_type, points }).collect(),
        created_at: Timestamp::EPOCH,
    }
}
