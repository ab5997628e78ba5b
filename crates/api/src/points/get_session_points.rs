//! `GET /api/sessions/{session_id}/points/`

use actix_web::web;
use apistos::api_operation;
use time_series_domain::UserId;

use super::listing::answer;
use super::points_answer::Points;
use super::request::SessionPointParams;
use crate::openapi::Rendered;
use crate::problem::Problem;
use crate::request::{QueryString, RequestContext, until_disconnect};
use crate::session::SessionPath;
use crate::state::AppState;

/// Reads a session's points.
#[api_operation(
    tag = "points",
    operation_id = "get_session_points",
    summary = "Read a session's points",
    description = "As `/api/points/`, of one session.",
    error_code = 404,
    error_code = 406,
    error_code = 409,
    error_code = 412,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn get_session_points(
    path: web::Path<SessionPath>,
    params: QueryString<SessionPointParams>,
    caller: RequestContext,
    state: web::Data<AppState>,
) -> Result<Rendered<Points>, Problem> {
    let id = path.id()?;
    let params = params.0;
    let (finder, named) = (state.clone(), params.user_id.map(UserId));
    let find = async {
        let found = finder.sessions.get(id, named).await?;
        finder.log_users.note(found.record.user_id).await;
        Ok::<_, Problem>(found.record.user_id)
    };
    let user = until_disconnect(&caller, find).await?;
    let min_version = params.min_version;
    let request = params.resolve(user, Some(id), caller.accept(), state.clock.now())?;
    answer(state, caller, request, min_version).await
}
