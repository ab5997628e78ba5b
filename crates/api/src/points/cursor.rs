//! Cursors of lists of points.

use time_series_domain::query::points::{PointPosition, PointSpec};
use time_series_domain::{MetricTypeId, SessionId, Timestamp};
use uuid::Uuid;

use crate::request::CursorKey;

/// Bytes of an encoded position: time, metric type, session and ordinal.
const POSITION_BYTES: usize = 8 + 4 + 16 + 4;

/// Returns the cursor of a position in the list.
pub(super) fn seal(key: &CursorKey, spec: &PointSpec, position: &PointPosition) -> String {
    let PointPosition {
        time,
        metric_type,
        session_id,
        ordinal,
    } = position;
    let mut encoded = Vec::with_capacity(POSITION_BYTES);
    encoded.extend(time.micros().to_be_bytes());
    encoded.extend(metric_type.0.to_be_bytes());
    encoded.extend(session_id.0.as_bytes());
    encoded.extend(ordinal.to_be_bytes());
    key.seal_payload(&spec.list(), encoded)
}

/// Returns the position that a cursor of the list names; `None` for any other text.
pub(super) fn open(key: &CursorKey, spec: &PointSpec, cursor: &str) -> Option<PointPosition> {
    let encoded: [u8; POSITION_BYTES] = key.open_payload(&spec.list(), cursor)?.try_into().ok()?;
    Some(PointPosition {
        time: Timestamp::from_micros(i64::from_be_bytes(encoded[..8].try_into().ok()?)),
        metric_type: MetricTypeId(i32::from_be_bytes(encoded[8..12].try_into().ok()?)),
        session_id: SessionId(Uuid::from_slice(&encoded[12..28]).ok()?),
        ordinal: u32::from_be_bytes(encoded[28..].try_into().ok()?),
    })
}
