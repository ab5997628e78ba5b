//! The answer to an aggregate query, for the OpenAPI document.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde_json::{Value, json};
use uuid::Uuid;

use super::metadata::TimeseriesMetadata;
use crate::format::Format;
use crate::openapi::{Answer, Example};

/// Aggregates by series and bucket.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct Timeseries {
    metadata: TimeseriesMetadata,
    /// Ordered by series, then bucket, user and session. Buckets without a point are absent unless
    /// `fill` is given.
    results: Vec<TimeseriesRow>,
}

/// The aggregate of a series in a bucket.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct TimeseriesRow {
    /// The start of the bucket, with the offset of `tz`, even if the range begins within the
    /// bucket. With `align=session` the time since the session's start, an ISO 8601 duration.
    bucket: String,
    /// The user, with `group_by`.
    user_id: Option<Uuid>,
    /// The session, with `group_by=session`.
    session_id: Option<Uuid>,
    /// The series.
    series: String,
    /// A number if the series' values are a number or `{"value": number}`, otherwise an object by
    /// leaf; with several functions an object by function of these, and with several functions of
    /// `over` an object by those. `stddev` of one point is null.
    value: Value,
}

impl Example for Timeseries {
    fn example() -> Value {
        json!({
            "metadata": {
                "count": 2,
                "interval": "month",
                "agg_func": "avg",
                "user_id": "d38834e0-fe46-4bf9-831d-1d5b125bdc9b",
                "session_id": null,
                "series": ["session.gut_health_score,session.urine.color"],
                "start_time": "2025-01-01T00:00:00-05:00",
                "end_time": "2025-02-01T00:00:00-05:00",
                "tz": "America/New_York",
                "week_start": "monday",
                "where": null,
                "align": "calendar",
                "group_by": null,
                "over": null,
                "fill": "none",
                "fill_lookback": null,
                "accuracy": "exact",
                "skipped": [],
                "version": 1
            },
            "results": [
                {"bucket": "2025-01-01T00:00:00-05:00", "series": "session.gut_health_score", "value": 71.5},
                {"bucket": "2025-01-01T00:00:00-05:00", "series": "session.urine.color", "value": {"b": 120.0, "g": 240.0, "r": 255.0}}
            ]
        })
    }
}

impl Answer for Timeseries {
    const STATUSES: &'static [(u16, &'static str)] = &[
        (200, "The aggregates, exact and fresh."),
        (304, "The answer is the one that the caller has."),
    ];
    const FORMATS: &'static [Format] =
        &[Format::Csv, Format::Ndjson, Format::Arrow, Format::Parquet];
}
