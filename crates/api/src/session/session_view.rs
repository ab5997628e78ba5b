//! JSON representation of a stored session.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time_series_domain::{Catalogue, SessionRecord, Timestamp};
use uuid::Uuid;

use crate::openapi::{Answer, Example};

/// A stored session, without its points.
#[derive(Serialize, JsonSchema, ApiComponent)]
#[schemars(rename = "SessionRecord")]
pub(crate) struct SessionView {
    /// User that owns the session.
    user_id: Uuid,
    /// Id of the session.
    session_id: Uuid,
    /// Start of the recording, UTC; null if it is unknown.
    start_ts: Option<String>,
    /// Number of points in the session.
    points: u64,
    /// Time of the earliest point, UTC; null without points.
    first_time: Option<String>,
    /// Time of the latest point, UTC; null without points.
    last_time: Option<String>,
    /// Number of points per series, sorted by series.
    series: Vec<SeriesPointsView>,
    /// Time at which the session was stored, UTC.
    created_at: String,
    /// Version of the user's data.
    version: u64,
}

/// Number of points of one series in a session.
#[derive(Serialize, JsonSchema, ApiComponent)]
#[schemars(rename = "SeriesPoints")]
pub(crate) struct SeriesPointsView {
    /// Name of the series.
    series: String,
    /// Number of points of the series.
    points: u64,
}

impl SessionView {
    pub(super) fn new(record: &SessionRecord, version: u64, catalogue: &Catalogue) -> Self {
        let text = |t: Timestamp| t.to_string();
        let named = |s: &time_series_domain::model::SeriesPoints| {
            let metric_type = catalogue.by_id(s.metric_type)?;
            Some(SeriesPointsView {
                series: metric_type.series.as_str().to_owned(),
                points: s.points,
            })
        };
        let mut series: Vec<SeriesPointsView> = record.series.iter().filter_map(named).collect();
        series.sort_by(|a, b| a.series.cmp(&b.series));
        Self {
            user_id: record.user_id.0,
            session_id: record.session_id.0,
            start_ts: record.start_ts.map(text),
            points: record.points,
            first_time: record.span.map(|s| text(s.0)),
            last_time: record.span.map(|s| text(s.1)),
            series,
            created_at: text(record.created_at),
            version,
        }
    }
}

impl Example for SessionView {
    fn example() -> Value {
        json!({
            "user_id": "d38834e0-fe46-4bf9-831d-1d5b125bdc9b",
            "session_id": "0191d9f0-6d2c-7c3e-9b1a-3f8f0c5b7a11",
            "start_ts": "2025-01-01T00:00:00Z",
            "points": 2,
            "first_time": "2025-01-01T00:01:00Z",
            "last_time": "2025-01-01T00:01:00Z",
            "series": [
                {"series": "session.gut_health_score", "points": 1},
                {"series": "session.urine.color", "points": 1}
            ],
            "created_at": "2025-01-01T07:30:00.123456Z",
            "version": 1
        })
    }
}

impl Answer for SessionView {
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "The session.")];
}
