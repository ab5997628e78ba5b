//! `DELETE /api/sessions/{session_id}/`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use apistos::api_operation;
use time_series_domain::ingest::WriteStage;

use super::owner::{OwnerParams, SessionPath, no_such_session, owner};
use crate::openapi::Deleted;
use crate::problem::Problem;
use crate::request::{QueryString, USER_VERSION};
use crate::state::AppState;

/// Deletes a session.
#[api_operation(
    tag = "sessions",
    operation_id = "delete_session",
    summary = "Delete a session",
    description = "Deletes a session and takes its points out of every summary, exactly. The header `user-version` has the user's new version.",
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
    let delete = async |stage: &WriteStage| {
        let user = owner(&state, id, &params.0).await?;
        stage.enter_store();
        Ok::<_, Problem>(state.sessions.delete(user, id).await?)
    };
    let Some(version) = state.within_write_timeout(delete).await? else {
        return Err(no_such_session(
            &id.to_string(),
            "the user has none of this id",
        ));
    };
    let version = (USER_VERSION, version.to_string());
    Ok(Deleted(
        HttpResponse::build(StatusCode::NO_CONTENT)
            .insert_header(version)
            .finish(),
    ))
}
