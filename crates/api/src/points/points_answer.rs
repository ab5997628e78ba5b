//! The answer to a list of points, for the OpenAPI document.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::format::Format;
use crate::openapi::{Answer, Example};

/// Points by time, series, session and arrival.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct Points {
    metadata: PointsMetadata,
    /// The points, in the requested order.
    results: Vec<PointRow>,
}

/// The effective parameters, the version of the data and the cursor of the next page.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct PointsMetadata {
    /// The number of results.
    pub(super) count: usize,
    /// The user that owns the points.
    pub(super) user_id: Uuid,
    /// The only session, or null.
    pub(super) session_id: Option<Uuid>,
    /// The series parameters as they were given; empty for all.
    pub(super) series: Vec<String>,
    /// Start of the range, inclusive; null if it begins with the first point.
    pub(super) start_time: Option<String>,
    /// End of the range, exclusive; null if it ends with the last point.
    pub(super) end_time: Option<String>,
    /// The conditions on points, or null.
    pub(super) r#where: Option<String>,
    /// `asc` or `desc`.
    pub(super) order: &'static str,
    /// The maximum number of points; null for all.
    pub(super) limit: Option<usize>,
    /// The cursor of the next page; null on the last page.
    pub(super) next_cursor: Option<String>,
    /// The maximum number of points of each series, with `max_points` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_points: Option<usize>,
    /// `lttb` or `minmax`; with `max_points` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<&'static str>,
    /// Series that were skipped: those without numbers for `max_points`, and those that lack a leaf
    /// of `where`.
    pub(super) skipped: Vec<String>,
    /// The version of the user's data.
    pub(super) version: u64,
}

/// A point.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct PointRow {
    /// The session of the point.
    session_id: Uuid,
    /// The series of the point.
    series: String,
    /// The time of the point, UTC.
    time: String,
    /// The value as it was accepted.
    value: Value,
    /// The number of points that it represents; with `max_points` only.
    weight: Option<u64>,
}

impl Example for Points {
    fn example() -> Value {
        json!({
            "metadata": {
                "count": 1,
                "user_id": "d38834e0-fe46-4bf9-831d-1d5b125bdc9b",
                "session_id": null,
                "series": [],
                "start_time": null,
                "end_time": null,
                "where": null,
                "order": "asc",
                "limit": 1000,
                "next_cursor": null,
                "skipped": [],
                "version": 1
            },
            "results": [{
                "session_id": "0191d9f0-6d2c-7c3e-9b1a-3f8f0c5b7a11",
                "series": "session.urine.color",
                "time": "2025-01-01T00:01:00Z",
                "value": {"b": 120, "g": 240, "r": 255}
            }]
        })
    }
}

impl Answer for Points {
    const STATUSES: &'static [(u16, &'static str)] = &[
        (200, "The points, as they were accepted."),
        (304, "The answer is the one that the caller has."),
    ];
    const FORMATS: &'static [Format] =
        &[Format::Csv, Format::Ndjson, Format::Arrow, Format::Parquet];
}
