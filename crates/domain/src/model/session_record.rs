//! What is known about a stored session without opening its blocks.

use super::{SessionExtent, SessionId, UserId};
use crate::{MetricTypeId, Timestamp};

/// A stored session, without its points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Whose recording it is.
    pub user_id: UserId,
    /// Its id, unique within the user.
    pub session_id: SessionId,
    /// When the recording started, if it was told.
    pub start_ts: Option<Timestamp>,
    /// How many points it has.
    pub points: u64,
    /// The times of its earliest and latest point; `None` for a session without points.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Points by metric type.
    pub series: Vec<SeriesPoints>,
    /// When it was stored first.
    pub created_at: Timestamp,
}

impl SessionRecord {
    /// What points that join it must fit.
    #[must_use]
    pub const fn extent(&self) -> SessionExtent {
        SessionExtent {
            start_ts: self.start_ts,
            span: self.span,
        }
    }
}

/// How many points of a metric type a session has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesPoints {
    /// The metric type.
    pub metric_type: MetricTypeId,
    /// Its points in the session.
    pub points: u64,
}

/// A place in a user's list of sessions: newest first by start, sessions without a start last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPosition {
    /// The start of the last session that was seen.
    pub start_ts: Option<Timestamp>,
    /// Its id, which breaks ties.
    pub session_id: SessionId,
}

/// One page of a user's sessions, and the version of the user's data that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPage {
    /// The sessions, newest first.
    pub sessions: Vec<SessionRecord>,
    /// Where the next page starts; `None` on the last.
    pub next: Option<SessionPosition>,
    /// The user's version.
    pub version: u64,
}
