//! The JSON body that writes a session.

use uuid::Uuid;

use crate::fixture::calendar::timestamp;
use crate::fixture::json::Json;
use crate::fixture::metric_type::MetricType;
use crate::fixture::session::{Point, Session};

/// Returns the body of a request that writes a session.
pub(crate) fn session_body(user: Uuid, session: &Session, catalogue: &[MetricType]) -> String {
    let points: Vec<String> = session
        .points
        .iter()
        .map(|p| point_json(p, &utc_text(p.time), &p.value, catalogue))
        .collect();
    body(user, session, session.start.map(utc_text), &points)
}

/// Returns an equivalent body with other notations of times and values, and the points sorted.
pub(crate) fn renotated_session_body(
    user: Uuid,
    session: &Session,
    catalogue: &[MetricType],
) -> String {
    let points: Vec<String> = session
        .sorted_points()
        .into_iter()
        .map(|p| point_json(p, &kathmandu_text(p.time), &p.value.renotated(), catalogue))
        .collect();
    body(user, session, session.start.map(kathmandu_text), &points)
}

fn utc_text(micros: i64) -> String {
    timestamp(micros).to_string()
}

/// The time with an offset of +05:45 and nanoseconds.
fn kathmandu_text(micros: i64) -> String {
    let offset = jiff::tz::Offset::from_seconds(20_700)
        .expect("+05:45")
        .to_time_zone();
    timestamp(micros)
        .to_zoned_datetime(offset)
        .strftime("%Y-%m-%dT%H:%M:%S.%6f000%:z")
        .to_string()
}

fn point_json(point: &Point, time: &str, value: &Json, catalogue: &[MetricType]) -> String {
    let series = &catalogue[point.metric_index].series;
    format!(r#"{{"series":"{series}","time":"{time}","value":{value}}}"#)
}

fn body(user: Uuid, session: &Session, start: Option<String>, points: &[String]) -> String {
    let start = start
        .map(|start| format!(r#""start_ts":"{start}","#))
        .unwrap_or_default();
    format!(
        r#"{{"user_id":"{user}","session_id":"{}",{start}"data":[{}]}}"#,
        session.id,
        points.join(",")
    )
}
