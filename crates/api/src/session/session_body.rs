//! The body of a session, for the document; it is read by the domain, which names every fault.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::openapi::Example;

/// One recording of one user.
#[derive(JsonSchema, ApiComponent)]
#[schemars(rename = "Session")]
#[expect(dead_code, reason = "documents what the domain reads")]
pub(crate) struct SessionBody {
    /// Whose recording it is.
    user_id: Uuid,
    /// Its id. Left out, the server makes one, and sending the session again makes another.
    session_id: Option<Uuid>,
    /// When the recording started, RFC 3339. Points lie from one day before to 31 days after it.
    #[schemars(with = "Option<String>")]
    start_ts: Option<String>,
    /// The points, in any order, one by one or as columns; may be empty.
    data: Vec<EntryBody>,
}

/// More points of a session.
#[derive(JsonSchema, ApiComponent)]
#[schemars(rename = "Part")]
#[expect(dead_code, reason = "documents what the domain reads")]
pub(crate) struct PartBody {
    /// Whose session; may be left out where only one user has a session of this id.
    user_id: Option<Uuid>,
    /// May be left out, or be that of the path.
    session_id: Option<Uuid>,
    /// May be left out, or be the stored one.
    #[schemars(with = "Option<String>")]
    start_ts: Option<String>,
    /// The points, in any order, one by one or as columns.
    data: Vec<EntryBody>,
}

/// A point, or columns of points of one series.
#[derive(JsonSchema, ApiComponent)]
#[serde(untagged)]
#[schemars(rename = "Entry")]
#[expect(dead_code, reason = "documents what the domain reads")]
pub(crate) enum EntryBody {
    Point(PointBody),
    Columns(ColumnsBody),
}

/// Points of one series as columns: several times smaller than one by one.
#[derive(JsonSchema, ApiComponent)]
#[schemars(rename = "Columns")]
#[expect(dead_code, reason = "documents what the domain reads")]
pub(crate) struct ColumnsBody {
    /// The name of a metric type.
    series: String,
    /// An array of RFC 3339 times, or `{"start", "step"}` with a step such as `1s`, `40ms`, `500us`, `1m`.
    times: Value,
    /// An array of values, one a time; or an object of arrays, such as `{"r": […], "g": […]}`, of which each value gets its member.
    values: Value,
}

/// One measurement.
#[derive(JsonSchema, ApiComponent)]
#[schemars(rename = "Point")]
#[expect(dead_code, reason = "documents what the domain reads")]
pub(crate) struct PointBody {
    /// The name of a metric type.
    series: String,
    /// When, RFC 3339, at most microseconds.
    time: String,
    /// A value that the metric type's schema accepts.
    value: Value,
}

impl Example for PartBody {
    fn example() -> Value {
        json!({
            "data": [
                {"series": "session.gut_health_score", "time": "2025-01-01T00:02:00Z", "value": {"value": 71.8}}
            ]
        })
    }
}

impl Example for SessionBody {
    fn example() -> Value {
        json!({
            "user_id": "d38834e0-fe46-4bf9-831d-1d5b125bdc9b",
            "session_id": "0191d9f0-6d2c-7c3e-9b1a-3f8f0c5b7a11",
            "start_ts": "2025-01-01T00:00:00Z",
            "data": [
                {"series": "session.gut_health_score", "time": "2025-01-01T00:01:00Z", "value": {"value": 71.5}},
                {"series": "session.urine.color", "time": "2025-01-01T00:01:00Z", "value": {"r": 255, "g": 240, "b": 120}}
            ]
        })
    }
}
