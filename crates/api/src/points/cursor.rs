//! Cursors of lists of points.

use time_series_domain::query::points::{PointPosition, PointQuery};
use time_series_domain::{MetricTypeId, SessionId, Timestamp};
use uuid::Uuid;

use crate::request::CursorKey;

const PLACE: usize = 8 + 4 + 16 + 4;

/// Returns the cursor of a place in the query's list.
pub(super) fn seal(key: &CursorKey, query: &PointQuery, position: &PointPosition) -> String {
    let PointPosition {
        time,
        metric_type,
        session_id,
        ordinal,
    } = position;
    let mut place = Vec::with_capacity(PLACE);
    place.extend(time.micros().to_be_bytes());
    place.extend(metric_type.0.to_be_bytes());
    place.extend(session_id.0.as_bytes());
    place.extend(ordinal.to_be_bytes());
    key.seal_payload(&query.list(), place)
}

/// Returns the place of a cursor of the query's list; `None` for any other text.
pub(super) fn open(key: &CursorKey, query: &PointQuery, cursor: &str) -> Option<PointPosition> {
    let place: [u8; PLACE] = key.open_payload(&query.list(), cursor)?.try_into().ok()?;
    Some(PointPosition {
        time: Timestamp::from_micros(i64::from_be_bytes(place[..8].try_into().ok()?)),
        metric_type: MetricTypeId(i32::from_be_bytes(place[8..12].try_into().ok()?)),
        session_id: SessionId(Uuid::from_slice(&place[12..28]).ok()?),
        ordinal: u32::from_be_bytes(place[28..].try_into().ok()?),
    })
}
