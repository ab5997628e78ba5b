//! `GET /api/points/`

use actix_web::web;
use apistos::api_operation;
use time_series_domain::UserId;

use super::listing::answer;
use super::points_answer::Points;
use super::request::PointParams;
use crate::openapi::Rendered;
use crate::problem::Problem;
use crate::request::{QueryString, RequestContext};
use crate::state::AppState;

/// Reads a user's points.
#[api_operation(
    tag = "points",
    operation_id = "get_points",
    summary = "Read points",
    description = "The points of a user as they were accepted, page by page with a cursor that survives concurrent writes, or all as a stream (NDJSON ends with a line `{\"end\":true,…}`, CSV with a line `# end of N rows`, Arrow and Parquet with their own footer), or downsampled for a plot.",
    error_code = 406,
    error_code = 412,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn get_points(
    params: QueryString<PointParams>,
    caller: RequestContext,
    state: web::Data<AppState>,
) -> Result<Rendered<Points>, Problem> {
    let params = params.0;
    let user = UserId(params.user_id.unwrap_or_default());
    let min_version = params.min_version;
    let request = params.resolve(user, None, caller.accept(), state.clock.now())?;
    answer(state, caller, request, min_version).await
}
