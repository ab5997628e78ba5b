//! The answer of a query of points, for the document.

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
    /// In the order asked for.
    results: Vec<PointRow>,
}

/// What was asked, and where the next page begins.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct PointsMetadata {
    /// How many results there are.
    pub(super) count: usize,
    /// Whose points.
    pub(super) user_id: Uuid,
    /// The only session, or null.
    pub(super) session_id: Option<Uuid>,
    /// The series parameters as they were given; empty for all.
    pub(super) series: Vec<String>,
    /// Start of the range, included; null from the first point on.
    pub(super) start_time: Option<String>,
    /// End of the range, not included; null up to the last point.
    pub(super) end_time: Option<String>,
    /// The conditions on points, or null.
    pub(super) r#where: Option<String>,
    /// `asc` or `desc`.
    pub(super) order: &'static str,
    /// How many points were asked for at the most; null for all.
    pub(super) limit: Option<usize>,
    /// To be sent as `cursor` for the next page; null on the last one.
    pub(super) next_cursor: Option<String>,
    /// How many points of each series were asked for at the most; absent where all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_points: Option<usize>,
    /// `lttb` or `minmax`; with `max_points` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<&'static str>,
    /// Series left out: those without numbers for `max_points`, and those that lack a leaf of `where`.
    pub(super) skipped: Vec<String>,
    /// The version of the user's data that this shows.
    pub(super) version: u64,
}

/// A point.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct PointRow {
    /// Its session.
    session_id: Uuid,
    /// Its series.
    series: String,
    /// When, UTC.
    time: String,
    /// The value as it was accepted.
    value: Value,
    /// How many points it stands for; with `max_points` only.
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
