//! `DELETE /api/metrictypes/{series}/`

use actix_web::{HttpResponse, web};
use apistos::api_operation;

use time_series_domain::SeriesName;
use time_series_domain::session::WriteStage;

use super::definition::{SeriesPath, metric_type_not_found};
use crate::openapi::Deleted;
use crate::problem::Problem;
use crate::request::{Admin, NoParams, QueryString};
use crate::state::AppState;

/// Deletes a metric type.
#[api_operation(
    tag = "metrictypes",
    operation_id = "delete_metric_type",
    summary = "Delete a metric type (admins)",
    description = "Deletes a metric type. Rejected with 409 while points of the series are stored.",
    error_code = 401,
    error_code = 403,
    error_code = 404,
    error_code = 409,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn delete_metric_type(
    _: Admin,
    _: QueryString<NoParams>,
    path: web::Path<SeriesPath>,
    state: web::Data<AppState>,
) -> Result<Deleted, Problem> {
    let series =
        SeriesName::parse(&path.series).map_err(|_| metric_type_not_found(&path.series))?;
    let write = async |stage: &WriteStage| {
        stage.enter_store();
        state.metric_types.delete(series.as_str()).await
    };
    state.within_write_timeout(write).await?;
    Ok(Deleted(HttpResponse::NoContent().finish()))
}
