//! Places between points, sealed for the list that they are of.

use time_series_domain::query::points::{PointPosition, PointQuery};
use time_series_domain::{MetricTypeId, SessionId, Timestamp};
use uuid::Uuid;

use crate::request::CursorKey;

const PLACE: usize = 8 + 4 + 16 + 4;

/// What tells the list of a query from all others.
fn list(query: &PointQuery) -> String {
    let PointQuery { user_id, session_id, selector, range, filter, order, .. } = query;
    format!("points {user_id} {session_id:?} {selector:?} {range:?} {filter:?} {order:?}")
}

/// The cursor of a place.
pub(super) fn seal(key: &CursorKey, query: &PointQuery, position: &PointPosition) -> String {
    let mut place = Vec::with_capacity(PLACE);
    place.extend(position.time.micros().to_be_bytes());
    place.extend(position.metric_type.0.to_be_bytes());
    place.extend(position.session_id.0.as_bytes());
    place.extend(position.ordinal.to_be_bytes());
    key.seal_place(list(query).as_bytes(), place)
}

/// The place of a cursor of ours for this list; `None` for anything else.
pub(super) fn open(key: &CursorKey, query: &PointQuery, cursor: &str) -> Option<PointPosition> {
    let place: [u8; PLACE] = key.open_place(list(query).as_bytes(), cursor)?.try_into().ok()?;
    Some(PointPosition {
        time: Timestamp::from_micros(i64::from_be_bytes(place[..8].try_into().ok()?)),
        metric_type: MetricTypeId(i32::from_be_bytes(place[8..12].try_into().ok()?)),
        session_id: SessionId(Uuid::from_slice(&place[12..28]).ok()?),
        ordinal: u32::from_be_bytes(place[28..].try_into().ok()?),
    })
}
