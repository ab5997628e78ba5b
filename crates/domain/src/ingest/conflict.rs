//! Conflict resolution: decides the outcome of a write when a session may already be stored under
//! its id.
//!
//! Every implementation of [`SessionStore`](crate::ports::SessionStore) loads the stored session
//! under a lock on its user and then calls [`decide`].

use super::append::{AppendDecision, decide_append, lies_in_own_window};
use super::{AppendRecord, Digest, EncodedSession, IdempotencyKey};
use crate::model::SessionExtent;

/// The policy for a session whose id is already in use by another session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Reject the new session.
    #[default]
    Error,
    /// Keep the stored session.
    Ignore,
    /// Replace the stored session.
    Replace,
    /// Add the new points to the stored session.
    Append,
}

/// The outcome of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The session is new.
    Created,
    /// The same session was stored before.
    Unchanged,
    /// Another session was stored before and is kept.
    Ignored,
    /// Another session was stored before and is gone.
    Replaced,
    /// The points were added to those stored before.
    Appended,
    /// The session is valid; a dry run stores nothing.
    Checked,
}

/// Reason why a store rejects a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteConflict {
    /// Another session has the id: choose another id, or another policy.
    #[error("another session is stored under this id")]
    SessionExists,
    /// The session to append to is not stored: store it first.
    #[error("no session is stored under this id")]
    SessionAbsent,
    /// The stored session has another start: leave `start_ts` out.
    #[error("the stored session has another start_ts")]
    StartDiffers,
    /// The stored session cannot have more points: begin another session.
    #[error("the stored session is full")]
    SessionFull,
    /// Points lie outside the window of the stored session: validate each of them against it.
    #[error("points lie outside the window of the stored session")]
    OutsideWindow,
    /// Other points were appended under the key: choose another key.
    #[error("other points were appended under this key")]
    KeyReused,
}

/// A request to write a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionWrite {
    /// Stores a whole session. The key identifies a retry if the policy is [`OnConflict::Append`],
    /// and is ignored otherwise.
    Store(OnConflict, Option<IdempotencyKey>),
    /// Adds points to a session that must be stored already.
    Append(Option<IdempotencyKey>),
}

/// The session that is stored under the id of a write.
#[derive(Debug, Clone)]
pub struct StoredSession<'a> {
    /// Digest of the session as it was first stored.
    pub digest: Digest,
    /// Start and span, appended points included.
    pub extent: SessionExtent,
    /// Number of points, appended points included.
    pub points: u64,
    /// Earlier appends that have the points or the key of the write.
    pub appends: &'a [AppendRecord],
}

/// The action of a store on a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteDecision {
    /// Writes the session or its points; the outcome is created, replaced or appended.
    Write(Outcome),
    /// Changes nothing; the outcome is unchanged or ignored.
    Keep(Outcome),
    /// Changes nothing and returns the response of an earlier append.
    Replay(AppendRecord),
}

impl SessionWrite {
    /// Returns true if points are added to a stored session.
    #[must_use]
    pub const fn appends(&self) -> bool {
        matches!(self, Self::Append(_) | Self::Store(OnConflict::Append, _))
    }

    /// Returns true if a stored session can change.
    #[must_use]
    pub const fn changes(&self) -> bool {
        self.appends() || matches!(self, Self::Store(OnConflict::Replace, _))
    }

    /// The key that identifies a retry of an append.
    #[must_use]
    pub const fn key(&self) -> Option<&IdempotencyKey> {
        match self {
            Self::Append(key) | Self::Store(OnConflict::Append, key) => key.as_ref(),
            Self::Store(..) => None,
        }
    }
}

/// Decides what a store does with a write.
///
/// | write | nothing stored | the same session stored | another session stored |
/// | --- | --- | --- | --- |
/// | store, `error` | created | unchanged | [`WriteConflict::SessionExists`] |
/// | store, `ignore` | created | unchanged | ignored |
/// | store, `replace` | created | unchanged; replaced if points were appended since | replaced |
/// | store, `append` | created | unchanged or replayed | appended |
/// | append | [`WriteConflict::SessionAbsent`] | unchanged or replayed | appended |
///
/// # Errors
/// The errors of the table. For appends also [`WriteConflict::StartDiffers`],
/// [`WriteConflict::SessionFull`], [`WriteConflict::KeyReused`] and
/// [`WriteConflict::OutsideWindow`].
/// The last also for a new session without a start whose points lie too far apart, if the policy is
/// [`OnConflict::Append`].
pub fn decide(
    write: &SessionWrite,
    session: &EncodedSession,
    stored: Option<&StoredSession<'_>>,
) -> Result<WriteDecision, WriteConflict> {
    let Some(stored) = stored else {
        return match write {
            SessionWrite::Append(_) => Err(WriteConflict::SessionAbsent),
            SessionWrite::Store(OnConflict::Append, _) if !lies_in_own_window(session) => {
                Err(WriteConflict::OutsideWindow)
            }
            SessionWrite::Store(..) => Ok(WriteDecision::Write(Outcome::Created)),
        };
    };
    let policy = match write {
        SessionWrite::Append(key) | SessionWrite::Store(OnConflict::Append, key) => {
            return Ok(match decide_append(session, stored, key.as_ref())? {
                AppendDecision::Add => WriteDecision::Write(Outcome::Appended),
                AppendDecision::Known => WriteDecision::Keep(Outcome::Unchanged),
                AppendDecision::Replay(append) => WriteDecision::Replay(append),
            });
        }
        SessionWrite::Store(policy, _) => *policy,
    };
    // A replacement also removes the points that were appended since.
    let is_longer = stored.points != session.points;
    if stored.digest == session.digest() && !(policy == OnConflict::Replace && is_longer) {
        return Ok(WriteDecision::Keep(Outcome::Unchanged));
    }
    match policy {
        OnConflict::Ignore => Ok(WriteDecision::Keep(Outcome::Ignored)),
        OnConflict::Replace => Ok(WriteDecision::Write(Outcome::Replaced)),
        OnConflict::Error | OnConflict::Append => Err(WriteConflict::SessionExists),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::channel::{Channel, ChannelId};
    use crate::ingest::{SessionDraft, ValidSession};
    use crate::metric_type::{Catalogue, MetricType, SeriesName, ValueSchema};
    use crate::model::AppendTarget;
    use crate::{Json, MetricTypeId, SessionId, TimeRules, TimeSeriesPoint, Timestamp, UserId};

    const POLICIES: [OnConflict; 4] = [
        OnConflict::Error,
        OnConflict::Ignore,
        OnConflict::Replace,
        OnConflict::Append,
    ];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_735_689_600_000_000 + second * 1_000_000)
    }

    /// A session that starts at second 0 and has a point at each of these seconds.
    fn session(seconds: &[i64]) -> EncodedSession {
        let schema = ValueSchema::parse(json!({"type": "number"})).expect("a schema");
        let channel = |(position, pointer)| Channel {
            id: ChannelId(position),
            pointer,
        };
        let metric_type = MetricType {
            id: MetricTypeId(1),
            series: SeriesName::parse("s").expect("a name"),
            channels: (0..)
                .zip(schema.numeric_leaves().to_vec())
                .map(channel)
                .collect(),
            schema: Arc::new(schema),
            description: String::new(),
            unit: String::new(),
            generation: 1,
            schema_generation: 1,
            created_at: Timestamp::EPOCH,
            updated_at: Timestamp::EPOCH,
        };
        let point = |second: &i64| TimeSeriesPoint {
            series: SeriesName::parse("s").expect("a name"),
            time: at(*second),
            value: Json::parse(&second.to_string()).expect("JSON"),
        };
        let (user, id) = (UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
        let draft = SessionDraft::new(user, id, Some(at(0)), seconds.iter().map(point).collect());
        let catalogue = Catalogue::new(1, [metric_type]);
        let valid = ValidSession::check(
            draft,
            &catalogue,
            &TimeRules::default(),
            at(100),
            AppendTarget::Alone,
        );
        EncodedSession::encode(valid.expect("a valid session"))
    }

    fn stored<'a>(
        session: &EncodedSession,
        appended: u64,
        appends: &'a [AppendRecord],
    ) -> StoredSession<'a> {
        let extent = SessionExtent {
            start_ts: session.start_ts,
            span: session.span(),
        };
        StoredSession {
            digest: session.digest(),
            extent,
            points: session.points + appended,
            appends,
        }
    }

    fn outcome(
        write: &SessionWrite,
        sent: &EncodedSession,
        stored: Option<&StoredSession<'_>>,
    ) -> String {
        match decide(write, sent, stored) {
            Ok(WriteDecision::Write(outcome)) => format!("write {outcome:?}"),
            Ok(WriteDecision::Keep(outcome)) => format!("keep {outcome:?}"),
            Ok(WriteDecision::Replay(_)) => "replay".to_owned(),
            Err(WriteConflict::SessionAbsent) => "absent".to_owned(),
            Err(WriteConflict::SessionExists) => "conflict".to_owned(),
            Err(e) => e.to_string(),
        }
    }

    /// The rows of the table for `store`, in the order of [`POLICIES`], and then the row of
    /// `append`.
    fn outcomes(sent: &EncodedSession, stored: Option<&StoredSession<'_>>) -> Vec<String> {
        let whole = POLICIES.map(|policy| SessionWrite::Store(policy, None));
        whole
            .into_iter()
            .chain([SessionWrite::Append(None)])
            .map(|write| outcome(&write, sent, stored))
            .collect()
    }

    #[test]
    fn a_new_id_creates_the_session() {
        let created = "write Created";
        assert_eq!(
            outcomes(&session(&[1]), None),
            [created, created, created, created, "absent"]
        );
    }

    #[test]
    fn the_same_session_changes_nothing() {
        let (sent, unchanged) = (session(&[1, 2]), "keep Unchanged");
        assert_eq!(
            outcomes(&sent, Some(&stored(&sent, 0, &[]))),
            [unchanged; 5]
        );
    }

    #[test]
    fn replacing_removes_points_that_were_appended_since() {
        let (sent, unchanged) = (session(&[1, 2]), "keep Unchanged");
        let expected = [unchanged, unchanged, "write Replaced", unchanged, unchanged];
        assert_eq!(outcomes(&sent, Some(&stored(&sent, 3, &[]))), expected);
    }

    #[test]
    fn another_session_is_resolved_by_the_policy() {
        let (sent, other) = (session(&[1, 2]), session(&[3]));
        let expected = [
            "conflict",
            "keep Ignored",
            "write Replaced",
            "write Appended",
            "write Appended",
        ];
        assert_eq!(outcomes(&sent, Some(&stored(&other, 0, &[]))), expected);
    }

    #[test]
    fn a_key_replays_the_response_of_its_append() {
        let (sent, other) = (session(&[1, 2]), session(&[3]));
        let key = IdempotencyKey::parse("append-1").expect("a key");
        let digest = |points: &EncodedSession| points.points_digest;
        let record = |points_digest| AppendRecord {
            points_digest,
            key: Some(key.clone()),
            total_points: 3,
            version: 7,
            created: false,
        };
        for (points_digest, expected) in [
            (digest(&sent), "replay".to_owned()),
            (digest(&other), WriteConflict::KeyReused.to_string()),
        ] {
            let appends = [record(points_digest)];
            let stored = stored(&other, 2, &appends);
            for write in [
                SessionWrite::Append(Some(key.clone())),
                SessionWrite::Store(OnConflict::Append, Some(key.clone())),
            ] {
                assert_eq!(outcome(&write, &sent, Some(&stored)), expected, "{write:?}");
            }
            // Other policies ignore the key.
            let ignoring = SessionWrite::Store(OnConflict::Ignore, Some(key.clone()));
            assert_eq!(outcome(&ignoring, &sent, Some(&stored)), "keep Ignored");
        }
    }
}
