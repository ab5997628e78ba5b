//! `GET /api/timeseries/`

use actix_web::web;
use apistos::{ApiComponent, api_operation};
use schemars::JsonSchema;
use serde_json::{Value, json};
use uuid::Uuid;

use super::params::TimeseriesParams;
use super::render::render;
use crate::openapi::{Answer, Example, Rendered};
use crate::problem::Problem;
use crate::request::QueryString;
use crate::state::AppState;

/// Aggregates by series and bucket.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what render() writes")]
pub(crate) struct Timeseries {
    metadata: TimeseriesMetadata,
    /// Ordered by series, then bucket. Buckets without a point are absent.
    results: Vec<TimeseriesRow>,
}

/// What was asked, and what was taken where nothing was asked.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what render() writes")]
pub(crate) struct TimeseriesMetadata {
    /// How many results there are.
    count: usize,
    /// The bucket length asked for.
    interval: String,
    /// The functions asked for.
    agg_func: String,
    /// Whose data.
    user_id: Uuid,
    /// The only session, or null.
    session_id: Option<Uuid>,
    /// The series parameters as they were given; empty for all.
    series: Vec<String>,
    /// Start of the range, included.
    start_time: String,
    /// End of the range, not included.
    end_time: String,
    /// The time zone of the buckets.
    tz: String,
    /// The day that weeks start on.
    week_start: String,
    /// Series that a pattern selected but that have no numbers to aggregate.
    skipped: Vec<String>,
    /// The version of the user's data that this shows.
    version: u64,
}

/// The aggregate of a series in a bucket.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what render() writes")]
pub(crate) struct TimeseriesRow {
    /// The start of the bucket, with the offset of `tz`; also where the range cuts the bucket.
    bucket: String,
    /// The series.
    series: String,
    /// A number where the series' values are a number or `{"value": number}`, else an object by leaf; an object by function of those where several functions were asked for. `stddev` of one point is null.
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
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "The aggregates, exact and fresh.")];
}

/// Aggregates a user's series.
#[api_operation(
    tag = "timeseries",
    operation_id = "timeseries",
    summary = "Aggregate series over calendar buckets",
    description = "Exact aggregates of a user's points, by series and calendar bucket, from one snapshot that has every acknowledged write. A parameter that does not exist is an error.",
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn timeseries(
    params: QueryString<TimeseriesParams>,
    state: web::Data<AppState>,
) -> Result<Rendered<Timeseries>, Problem> {
    let asked = params.0.ask(state.clock.now())?;
    let words = (!asked.until_now).then(|| format!("{} {:?}", asked.interval, asked.series));
    let json = state.aggregate.answer(&asked.query, words.as_deref(), |answer| render(&asked, answer)).await?;
    Ok(Rendered::new(json))
}
