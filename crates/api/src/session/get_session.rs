//! `GET /api/sessions/{session_id}/`

use actix_web::web;
use apistos::api_operation;

use super::owner::{OwnerParams, SessionPath, no_such_session, owner};
use super::session_view::SessionView;
use crate::openapi::Reply;
use crate::problem::Problem;
use crate::request::QueryString;
use crate::state::AppState;

/// Shows a session.
#[api_operation(
    tag = "sessions",
    operation_id = "get_session",
    summary = "Get a session",
    description = "What is known of a session, without its points.",
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
    let user = owner(&state, id, &params.0).await?;
    let Some((record, version)) = state.sessions.get(user, id).await? else {
        return Err(no_such_session(
            &id.to_string(),
            "the user has none of this id",
        ));
    };
    let catalogue = state.metric_types.list().await?;
    Ok(Reply::ok(SessionView::new(&record, version, &catalogue)))
}
