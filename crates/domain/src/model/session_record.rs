//! Stored sessions without their points, and pages of them.

use super::{SessionExtent, SessionId, UserId};
use crate::{MetricTypeId, Timestamp};

/// A stored session, without its points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// The user that owns the session.
    pub user_id: UserId,
    /// The id of the session, unique within the user.
    pub session_id: SessionId,
    /// The start of the recording; `None` if the client did not send one.
    pub start_ts: Option<Timestamp>,
    /// Number of points.
    pub points: u64,
    /// The times of the earliest and the latest point; `None` for a session without points.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Number of points by metric type.
    pub series: Vec<SeriesPoints>,
    /// The time at which the session was first stored.
    pub created_at: Timestamp,
}

impl SessionRecord {
    /// The extent that appended points are validated against.
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

/// A position in a user's list of sessions: newest start first, sessions without a start last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPosition {
    /// The start of the last session before the position.
    pub start_ts: Option<Timestamp>,
    /// The id of that session, which breaks ties.
    pub session_id: SessionId,
}

/// A page of a user's sessions, and the version of the user's data from the same snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPage {
    /// The sessions, newest first.
    pub sessions: Vec<SessionRecord>,
    /// The start of the next page; `None` on the last page.
    pub next: Option<SessionPosition>,
    /// The version of the user's data.
    pub version: u64,
}
