//! Stored sessions without their points: records, and pages of a user's sessions.

use super::{SessionExtent, SessionId, UserId};
use crate::{MetricTypeId, Timestamp};

/// A stored session, without its points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// The user that the session belongs to.
    pub user_id: UserId,
    /// The id of the session, unique within the user.
    pub session_id: SessionId,
    /// The start of the recording, if the client gave one.
    pub start_ts: Option<Timestamp>,
    /// Number of points.
    pub points: u64,
    /// The times of the earliest and the latest point; `None` for a session without points.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Number of points per metric type.
    pub series: Vec<SeriesPoints>,
    /// The time at which the session was first stored.
    pub created_at: Timestamp,
}

impl SessionRecord {
    /// Returns the times that bound points appended to the session.
    #[must_use]
    pub const fn extent(&self) -> SessionExtent {
        SessionExtent {
            start_ts: self.start_ts,
            span: self.span,
        }
    }
}

/// The number of points of one metric type in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesPoints {
    /// The metric type.
    pub metric_type: MetricTypeId,
    /// Number of points.
    pub points: u64,
}

/// A position in a user's list of sessions, which is sorted by start, newest first, with sessions
/// without a start last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPosition {
    /// The start of the last session before the position.
    pub start_ts: Option<Timestamp>,
    /// The id of that session, which breaks ties.
    pub session_id: SessionId,
}

/// One page of a user's sessions, and the version of the user's data at which it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPage {
    /// The sessions, newest first.
    pub sessions: Vec<SessionRecord>,
    /// The position at which the next page starts; `None` on the last page.
    pub next: Option<SessionPosition>,
    /// The version of the user's data.
    pub version: u64,
}
