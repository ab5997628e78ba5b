//! Which points.

use std::ops::Range;

use crate::fingerprint::{Fingerprint, FingerprintHasher, Fingerprinted};
use crate::metric_type::SeriesSelector;
use crate::ports::Order;
use crate::query::ask::ValueFilter;
use crate::{MetricTypeId, SessionId, Timestamp, UserId};

/// Which points of a user, ordered by (time, series, session, arrival).
#[derive(Debug, Clone)]
pub struct PointQuery {
    /// Whose.
    pub user_id: UserId,
    /// Only of this session, if any.
    pub session_id: Option<SessionId>,
    /// Of which series.
    pub selector: SeriesSelector,
    /// When; half-open.
    pub range: Range<Timestamp>,
    /// Only those that meet these conditions, if any.
    pub filter: Option<ValueFilter>,
    /// Which way.
    pub order: Order,
    /// Only those behind this place.
    pub after: Option<PointPosition>,
    /// At most so many.
    pub limit: Option<usize>,
}

/// A place between points that stays where it is while points come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointPosition {
    /// The time of the point before it.
    pub time: Timestamp,
    /// Its series.
    pub metric_type: MetricTypeId,
    /// Its session.
    pub session_id: SessionId,
    /// How many points of the same time, series and session came before it, in the order of the query.
    pub ordinal: u32,
}

impl PointQuery {
    /// Returns the fingerprint of the list that the query is a page of: of everything but the place
    /// and the length of the page.
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

impl Fingerprinted for PointQuery {
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
