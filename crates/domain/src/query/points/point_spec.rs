//! The specification of a list of points, and positions in it.

use std::ops::Range;

use crate::fingerprint::{Fingerprint, FingerprintHasher, Fingerprinted};
use crate::metric_type::SeriesSelector;
use crate::ports::Order;
use crate::query::spec::ValueFilter;
use crate::{MetricTypeId, SessionId, Timestamp, UserId};

/// A list of points of a user, ordered by (time, series, session, arrival).
#[derive(Debug, Clone)]
pub struct PointSpec {
    /// The user that owns the points.
    pub user_id: UserId,
    /// Restriction to one session.
    pub session_id: Option<SessionId>,
    /// Selector of the series.
    pub selector: SeriesSelector,
    /// Time range of the points, half-open.
    pub range: Range<Timestamp>,
    /// Conditions that points must meet.
    pub filter: Option<ValueFilter>,
    /// Order of time.
    pub order: Order,
    /// Position after which the page begins.
    pub after: Option<PointPosition>,
    /// Maximum number of points.
    pub limit: Option<usize>,
}

/// A position in a list of points that remains valid while points are added and deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointPosition {
    /// The time of the point before it.
    pub time: Timestamp,
    /// The series of that point.
    pub metric_type: MetricTypeId,
    /// The session of that point.
    pub session_id: SessionId,
    /// The number of points of the same time, series and session that precede it, in the order of
    /// the list.
    pub ordinal: u32,
}

impl PointSpec {
    /// Returns the fingerprint of the whole list: of everything except the position and length of
    /// the page.
    #[must_use]
    pub fn list(&self) -> Fingerprint {
        let Self {
            user_id,
            session_id,
            selector,
            range,
            filter,
            order,
            after: _,
            limit: _,
        } = self;
        let mut hasher = FingerprintHasher::new("list of points");
        hasher
            .field("user_id", user_id)
            .field("session_id", session_id)
            .field("selector", selector)
            .field("range", range)
            .field("filter", filter)
            .field("order", order);
        hasher.finish()
    }
}

impl Fingerprinted for PointSpec {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self {
            user_id: _,
            session_id: _,
            selector: _,
            range: _,
            filter: _,
            order: _,
            after,
            limit,
        } = self;
        hasher
            .field("list", &self.list())
            .field("after", after)
            .field("limit", limit);
    }
}

impl Fingerprinted for PointPosition {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self {
            time,
            metric_type,
            session_id,
            ordinal,
        } = self;
        hasher
            .field("time", time)
            .field("metric_type", metric_type)
            .field("session_id", session_id)
            .field("ordinal", ordinal);
    }
}
