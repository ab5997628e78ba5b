//! Which points.

use std::ops::Range;

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
