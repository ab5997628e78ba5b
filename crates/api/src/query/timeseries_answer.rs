//! The answer of an aggregate query, for the document.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::format::Format;
use crate::openapi::{Answer, Example};

/// Aggregates by series and bucket.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct Timeseries {
    metadata: TimeseriesMetadata,
    /// Ordered by series, then bucket, user and session. Buckets without a point are absent unless `fill` is asked for.
    results: Vec<TimeseriesRow>,
}

/// What was asked, and what was taken where nothing was asked.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct TimeseriesMetadata {
    /// How many results there are.
    count: usize,
    /// The bucket length asked for.
    interval: String,
    /// The functions asked for.
    agg_func: String,
    /// Whose data: one id, or an array of several.
    user_id: Value,
    /// The only session, or null.
    session_id: Option<Uuid>,
    /// The series parameters as they were given; empty for all.
    series: Vec<String>,
    /// Start of the range, included.
    start_time: String,
    /// End of the range, not included.
    end_time: String,
    /// The time zone of the buckets; absent with `align=session`.
    tz: Option<String>,
    /// The day that weeks start on; absent with `align=session`.
    week_start: Option<String>,
    /// The conditions on points, or null.
    r#where: Option<String>,
    /// `calendar` or `session`.
    align: String,
    /// What is told apart: `session`, `user` or null.
    group_by: Option<String>,
    /// What was computed of the values of groups, or null.
    over: Option<String>,
    /// What stands in buckets without a point.
    fill: String,
    /// How far back a known bucket was looked for, or null.
    fill_lookback: Option<String>,
    /// `exact` or `approx`: what was allowed.
    accuracy: String,
    /// Which rows are approximate; absent where all are exact.
    approximate: Option<Approximate>,
    /// Series that a pattern selected but that have no numbers to aggregate, and those that lack a leaf of `where`.
    skipped: Vec<String>,
    /// The version of the user's data that this shows; of several users the sum.
    version: u64,
    /// What ran, if it was asked for.
    explain: Option<Value>,
}

/// What is not exact.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what metadata() writes")]
pub(crate) struct Approximate {
    /// How many rows have an approximate percentile.
    buckets: usize,
    /// Such a percentile lies within this part of the greater of the two values that it lies between.
    relative_error: f64,
}

/// The aggregate of a series in a bucket.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct TimeseriesRow {
    /// The start of the bucket, with the offset of `tz`; also where the range cuts the bucket. With `align=session` the time since the session's start, an ISO 8601 duration.
    bucket: String,
    /// Whose, with `group_by`.
    user_id: Option<Uuid>,
    /// Of which session, with `group_by=session`.
    session_id: Option<Uuid>,
    /// The series.
    series: String,
    /// A number where the series' values are a number or `{"value": number}`, else an object by leaf; an object by function of those where several functions were asked for, and by function of `over`. `stddev` of one point is null.
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
    const STATUSES: &'static [(u16, &'static str)] =
        &[(200, "The aggregates, exact and fresh."), (304, "The answer is the one that the caller has.")];
    const FORMATS: &'static [Format] = &[Format::Csv, Format::Ndjson, Format::Arrow, Format::Parquet];
}
