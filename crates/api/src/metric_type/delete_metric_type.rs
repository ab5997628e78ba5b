//! `DELETE /api/metrictypes/{series}/`

use actix_web::{HttpResponse, web};
use apistos::api_operation;

use super::change::SeriesPath;
use crate::openapi::Deleted;
use crate::problem::Problem;
use crate::request::Admin;
use crate::state::AppState;

/// Deletes a metric type.
#[api_operation(
    tag = "metrictypes",
    operation_id = "delete_metric_type",
    summary = "Delete a metric type (admins)",
    description = "Refused while it has points.",
    error_code = 401,
    error_code = 403,
    error_code = 404,
    error_code = 409,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn delete_metric_type(
    _: Admin,
    path: web::Path<SeriesPath>,
    state: web::Data<AppState>,
) -> Result<Deleted, Problem> {
    state.metric_types.delete(&path.series).await?;
    Ok(Deleted(HttpResponse::NoContent().finish()))
}
