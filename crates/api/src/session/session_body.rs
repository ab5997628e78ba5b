//! Bodies of sessions for the OpenAPI document. The domain parses them and reports every error.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::openapi::Example;

/// A recording of one user.
#[derive(JsonSchema, ApiComponent)]
#[schemars(rename = "Session")]
#[expect(dead_code, reason = "documents what the domain reads")]
pub(crate) struct SessionBody {
    /// User that owns the session.
    user_id: Uuid,
    /// Id of the session. If it is absent, the service generates one; a repeated request then
    /// stores another session.
    session_id: Option<Uuid>,
    /// Start of the recording, RFC 3339. Points must be from 1 day before to 31 days after the
    /// start, unless the service is configured otherwise.
    #[schemars(with = "Option<String>")]
    start_ts: Option<String>,
    /// Points in any order, individually or as columns; may be empty.
    data: Vec<EntryBody>,
}

/// Points to append to a session.
#[derive(JsonSchema, ApiComponent)]
#[schemars(rename = "Part")]
#[expect(dead_code, reason = "documents what the domain reads")]
pub(crate) struct AppendBody {
    /// User that owns the session. Optional if only one user has a session with this id.
    user_id: Option<Uuid>,
    /// Id of the session. Optional; must be equal to the id in the path.
    session_id: Option<Uuid>,
    /// Start of the recording. Optional; must be equal to the stored start.
    #[schemars(with = "Option<String>")]
    start_ts: Option<String>,
    /// Points in any order, individually or as columns.
    data: Vec<EntryBody>,
}

/// One point, or the points of one series as columns.
#[derive(JsonSchema, ApiComponent)]
#[serde(untagged)]
#[schemars(rename = "Entry")]
#[expect(dead_code, reason = "documents what the domain reads")]
pub(crate) enum EntryBody {
    Point(PointBody),
    Columns(ColumnsBody),
}

/// Points of one series as columns, which are several times smaller than individual points.
#[derive(JsonSchema, ApiComponent)]
#[schemars(rename = "Columns")]
#[expect(dead_code, reason = "documents what the domain reads")]
pub(crate) struct ColumnsBody {
    /// Name of a metric type.
    series: String,
    /// An array of RFC 3339 times, or `{"start", "step"}` with a step such as `1s`, `40ms`, `500us`
    /// or `1m`.
    times: Value,
    /// An array with one value per time, or an object of arrays such as `{"r": […], "g": […]}` with
    /// one element per time in each array.
    values: Value,
}

/// One measurement.
#[derive(JsonSchema, ApiComponent)]
#[schemars(rename = "Point")]
#[expect(dead_code, reason = "documents what the domain reads")]
pub(crate) struct PointBody {
    /// Name of a metric type.
    series: String,
    /// Time of the measurement, RFC 3339, with at most microsecond precision.
    time: String,
    /// The measured value. It must match the JSON Schema of the metric type.
    value: Value,
}

impl Example for AppendBody {
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
