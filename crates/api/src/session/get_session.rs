//! `GET /api/sessions/{session_id}/`

use actix_web::web;
use apistos::api_operation;

use super::session_path::{OwnerParams, SessionPath};
use super::session_view::SessionView;
use crate::openapi::Reply;
use crate::problem::Problem;
use crate::request::QueryString;
use crate::state::AppState;

/// Returns a session.
#[api_operation(
    tag = "sessions",
    operation_id = "get_session",
    summary = "Get a session",
    description = "Returns a session without its points.",
    error_code = 404,
    error_code = 409,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn get_session(
    path: web::Path<SessionPath>,
    params: QueryString<OwnerParams>,
    state: web::Data<AppState>,
) -> Result<Reply<SessionView>, Problem> {
    let id = path.id()?;
    let found = state.sessions.get(id, params.0.user()).await?;
    state.log_users.note(found.record.user_id).await;
    let catalogue = state.metric_types.list().await?;
    Ok(Reply::ok(SessionView::new(
        &found.record,
        found.version,
        &catalogue,
    )))
}
