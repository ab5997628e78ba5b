//! `DELETE /api/sessions/{session_id}/`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use apistos::api_operation;
use time_series_domain::session::WriteStage;

use super::session_path::{OwnerParams, SessionPath};
use crate::openapi::Deleted;
use crate::problem::Problem;
use crate::request::{QueryString, USER_VERSION};
use crate::state::AppState;

/// Deletes a session.
#[api_operation(
    tag = "sessions",
    operation_id = "delete_session",
    summary = "Delete a session",
    description = "Deletes a session and subtracts its points exactly from every summary. The \
                   header `user-version` contains the new version of the user's data.",
    error_code = 404,
    error_code = 409,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn delete_session(
    path: web::Path<SessionPath>,
    params: QueryString<OwnerParams>,
    state: web::Data<AppState>,
) -> Result<Deleted, Problem> {
    let id = path.id()?;
    let delete = async |stage: &WriteStage| state.sessions.delete(id, params.0.user(), stage).await;
    let (user, version) = state.within_write_timeout(delete).await?;
    state.log_users.note(user).await;
    let version = (USER_VERSION, version.to_string());
    Ok(Deleted(
        HttpResponse::build(StatusCode::NO_CONTENT)
            .insert_header(version)
            .finish(),
    ))
}
