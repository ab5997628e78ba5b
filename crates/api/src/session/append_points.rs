//! `POST /api/sessions/{session_id}/points/`

use std::sync::Arc;

use actix_web::web;
use apistos::api_operation;
use time_series_domain::ingest::JsonSource;
use time_series_domain::session::WriteStage;

use super::receipt::{Receipt, receipt};
use super::session_body::AppendBody;
use super::session_path::{OwnerParams, SessionPath};
use crate::openapi::Reply;
use crate::problem::Problem;
use crate::request::{Idempotency, JsonBody, QueryString};
use crate::state::AppState;

/// Adds points to a session.
#[api_operation(
    tag = "sessions",
    operation_id = "append_points",
    summary = "Append points to a session",
    description = "Adds points to a stored session, all or none; for sessions that are still being \
                   recorded. The points may be earlier than stored ones. Sending the same points \
                   again changes nothing. With an `Idempotency-Key`, the key identifies a retry: \
                   its response is the first response again, with the header \
                   `idempotent-replayed: true`. `points` is the number of points in the request, \
                   `total_points` the number of points in the session.",
    error_code = 400,
    error_code = 404,
    error_code = 408,
    error_code = 409,
    error_code = 413,
    error_code = 415,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn append_points(
    path: web::Path<SessionPath>,
    params: QueryString<OwnerParams>,
    key: Idempotency,
    body: JsonBody<AppendBody>,
    state: web::Data<AppState>,
) -> Result<Reply<Receipt>, Problem> {
    let id = path.id()?;
    let lane = state.cpu.lane(body.peer, body.bytes.len());
    let source = Arc::new(JsonSource::new(body.bytes.clone()).at_session_id(id));
    let append = async |stage: &WriteStage| {
        state
            .ingest
            .append(&lane, id, params.0.user(), source, key.0.as_ref(), stage)
            .await
    };
    let done = state.within_write_timeout(append).await?;
    state.log_users.note(done.user_id).await;
    Ok(receipt(&done))
}
