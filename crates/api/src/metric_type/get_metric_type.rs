//! `GET /api/metrictypes/{series}/`

use actix_web::web;
use apistos::api_operation;

use super::definition::{SeriesPath, metric_type_not_found};
use super::metric_type_view::MetricTypeView;
use crate::openapi::Reply;
use crate::problem::Problem;
use crate::request::{NoParams, QueryString};
use crate::state::AppState;

/// Returns a metric type.
#[api_operation(
    tag = "metrictypes",
    operation_id = "get_metric_type",
    summary = "Get a metric type",
    description = "Returns a series and the JSON Schema of its values.",
    error_code = 404,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn get_metric_type(
    _: QueryString<NoParams>,
    path: web::Path<SeriesPath>,
    state: web::Data<AppState>,
) -> Result<Reply<MetricTypeView>, Problem> {
    let catalogue = state.metric_types.list().await?;
    let metric_type = catalogue
        .get(&path.series)
        .ok_or_else(|| metric_type_not_found(&path.series))?;
    Ok(Reply::ok(metric_type.as_ref().into()))
}
