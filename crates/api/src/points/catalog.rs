//! `GET /api/catalog/`

use std::sync::Arc;

use actix_web::web;
use apistos::{ApiComponent, api_operation};
use schemars::JsonSchema;
use serde_json::{Value, json};
use time_series_domain::ports::DataVersion;
use time_series_domain::{SeriesSelector, UserId};

use super::overview::{OverviewMetadata, OverviewParams};
use crate::format::{Batch, Field, Format, Kind, Table, Values};
use crate::openapi::{Answer, Example, Rendered};
use crate::problem::Problem;
use crate::reads::Reads;
use crate::request::{QueryString, RequestContext};
use crate::state::AppState;

/// The extents of a user's series.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct Catalog {
    metadata: OverviewMetadata,
    /// Ordered by series name; series without a point are absent.
    results: Vec<CatalogRow>,
}

/// A series and its extent.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is rendered")]
pub(crate) struct CatalogRow {
    /// The series.
    series: String,
    /// The unit of its numbers; may be empty.
    unit: String,
    /// The time of its first point, UTC.
    first_time: String,
    /// The time of its last point, UTC.
    last_time: String,
    /// The number of points.
    points: u64,
    /// The number of sessions with points.
    sessions: u64,
}

impl Example for Catalog {
    fn example() -> Value {
        json!({
            "metadata": {"count": 1, "user_id": "d38834e0-fe46-4bf9-831d-1d5b125bdc9b", "series": [], "version": 1},
            "results": [{
                "series": "session.gut_health_score",
                "unit": "points",
                "first_time": "2025-01-01T00:01:00Z",
                "last_time": "2025-01-01T00:01:00Z",
                "points": 1,
                "sessions": 1
            }]
        })
    }
}

impl Answer for Catalog {
    const STATUSES: &'static [(u16, &'static str)] = &[
        (200, "The series; empty for a user without any."),
        (304, "The answer is the one that the caller has."),
    ];
    const FORMATS: &'static [Format] = &[Format::Csv, Format::Ndjson];
}

/// Lists a user's series.
#[api_operation(
    tag = "points",
    operation_id = "catalog",
    summary = "List a user's series",
    description = "The series that a user has points of, with first and last time, points and sessions.",
    error_code = 406,
    error_code = 412,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn catalog(
    params: QueryString<OverviewParams>,
    caller: RequestContext,
    state: web::Data<AppState>,
) -> Result<Rendered<Catalog>, Problem> {
    params
        .0
        .answer("catalog", &caller, state, read_catalog)
        .await
}

async fn read_catalog(
    reads: Arc<Reads>,
    user: UserId,
    selector: SeriesSelector,
) -> Result<(DataVersion, Table, Batch), Problem> {
    let (data_version, extents) = reads.points.extents(user, &selector).await?;
    let fields = vec![
        Field::new("series", Kind::Name),
        Field::new("unit", Kind::Name),
        Field::new("first_time", Kind::Time(None)),
        Field::new("last_time", Kind::Time(None)),
        Field::new("points", Kind::Count),
        Field::new("sessions", Kind::Count),
    ];
    let columns = vec![
        Values::Name(
            extents
                .iter()
                .map(|(t, _)| Some(t.series.as_str().into()))
                .collect(),
        ),
        Values::Name(
            extents
                .iter()
                .map(|(t, _)| Some(t.unit.as_str().into()))
                .collect(),
        ),
        Values::Time(extents.iter().map(|(_, e)| e.first_time).collect()),
        Values::Time(extents.iter().map(|(_, e)| e.last_time).collect()),
        Values::Count(extents.iter().map(|(_, e)| Some(e.points)).collect()),
        Values::Count(extents.iter().map(|(_, e)| Some(e.sessions)).collect()),
    ];
    Ok((data_version, Table { fields }, Batch { columns }))
}
