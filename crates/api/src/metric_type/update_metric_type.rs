//! `PUT /api/metrictypes/{series}/`

use actix_web::web;
use apistos::api_operation;

use super::definition::{SeriesPath, parse_definition};
use super::metric_type_view::{MetricTypeBody, MetricTypeView};
use crate::openapi::Reply;
use crate::problem::Problem;
use crate::request::{Admin, JsonBody, NoParams, QueryString};
use crate::state::AppState;
use time_series_domain::session::WriteStage;

/// Changes a metric type.
#[api_operation(
    tag = "metrictypes",
    operation_id = "update_metric_type",
    summary = "Change a metric type (admins)",
    description = "Changes the definition of a metric type. Rejected with 409 if a stored point \
                   does not match the new JSON Schema, or has a number at a leaf that would \
                   become a channel. Every stored point of the series is checked; no session is \
                   stored in the series during the check.",
    error_code = 400,
    error_code = 401,
    error_code = 403,
    error_code = 404,
    error_code = 408,
    error_code = 409,
    error_code = 413,
    error_code = 415,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn update_metric_type(
    _: Admin,
    _: QueryString<NoParams>,
    path: web::Path<SeriesPath>,
    body: JsonBody<MetricTypeBody>,
    state: web::Data<AppState>,
) -> Result<Reply<MetricTypeView>, Problem> {
    let definition = parse_definition(&body.bytes, Some(&path.series))?;
    let write = async |stage: &WriteStage| {
        stage.enter_store();
        state.metric_types.update(&definition).await
    };
    let updated = state.within_write_timeout(write).await?;
    Ok(Reply::ok((&updated).into()))
}
