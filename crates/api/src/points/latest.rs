//! `GET /api/latest/`

use std::sync::Arc;

use actix_web::web;
use apistos::{ApiComponent, api_operation};
use schemars::JsonSchema;
use serde_json::{Value, json};
use time_series_domain::ports::DataVersion;
use time_series_domain::{SeriesSelector, UserId};
use uuid::Uuid;

use super::overview::{OverviewMetadata, OverviewParams};
use crate::format::{Batch, Field, Format, Kind, Table, Values};
use crate::openapi::{Answer, Example, Rendered};
use crate::problem::Problem;
use crate::reads::Reads;
use crate::request::{QueryString, RequestContext};
use crate::state::AppState;

/// The last point of each series.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct Latest {
    metadata: OverviewMetadata,
    /// Ordered by series name; series without a point are absent.
    results: Vec<LatestRow>,
}

/// A series and its last point.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct LatestRow {
    /// The series.
    series: String,
    /// The time of the point, UTC.
    time: String,
    /// The value as it was accepted.
    value: Value,
    /// The session of the point.
    session_id: Uuid,
}

impl Example for Latest {
    fn example() -> Value {
        json!({
            "metadata": {"count": 1, "user_id": "d38834e0-fe46-4bf9-831d-1d5b125bdc9b", "series": [], "version": 1},
            "results": [{
                "series": "session.gut_health_score",
                "time": "2025-01-01T00:01:00Z",
                "value": {"value": 71.5},
                "session_id": "0191d9f0-6d2c-7c3e-9b1a-3f8f0c5b7a11"
            }]
        })
    }
}

impl Answer for Latest {
    const STATUSES: &'static [(u16, &'static str)] = &[
        (200, "The last points; empty for a user without any."),
        (304, "The answer is the one that the caller has."),
    ];
    const FORMATS: &'static [Format] = &[Format::Csv, Format::Ndjson];
}

/// Reads the last point of each series of a user.
#[api_operation(
    tag = "points",
    operation_id = "latest",
    summary = "Read the last point of each series",
    description = "The last point of each series by time, session and arrival. The time that it takes depends on the number of series, not on the number of points.",
    error_code = 406,
    error_code = 412,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn latest(
    params: QueryString<OverviewParams>,
    caller: RequestContext,
    state: web::Data<AppState>,
) -> Result<Rendered<Latest>, Problem> {
    params.0.answer("latest", &caller, state, read_latest).await
}

async fn read_latest(
    reads: Arc<Reads>,
    user: UserId,
    selector: SeriesSelector,
) -> Result<(DataVersion, Table, Batch), Problem> {
    let (data_version, points) = reads.points.latest(user, &selector).await?;
    let fields = vec![
        Field::new("series", Kind::Name),
        Field::new("time", Kind::Time(None)),
        Field::new("value", Kind::Json),
        Field::new("session_id", Kind::Id),
    ];
    let columns = vec![
        Values::Name(
            points
                .iter()
                .map(|p| Some(p.metric_type.series.as_str().into()))
                .collect(),
        ),
        Values::Time(points.iter().map(|p| p.point.time).collect()),
        Values::Json(points.iter().map(|p| Some(p.point.value.clone())).collect()),
        Values::Id(points.iter().map(|p| Some(p.session_id.0)).collect()),
    ];
    Ok((data_version, Table { fields }, Batch { columns }))
}
