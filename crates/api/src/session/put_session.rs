//! `PUT /api/sessions/{session_id}/`

use std::sync::Arc;

use actix_web::web;
use apistos::api_operation;
use time_series_domain::SessionId;
use time_series_domain::ingest::{JsonSource, OnConflict};
use time_series_domain::session::WriteStage;

use super::receipt::{Receipt, receipt};
use super::session_body::SessionBody;
use super::session_path::SessionPath;
use crate::openapi::Reply;
use crate::problem::Problem;
use crate::request::{JsonBody, NoParams, QueryString};
use crate::state::AppState;

/// Stores a session or replaces the one with its id.
#[api_operation(
    tag = "sessions",
    operation_id = "put_session",
    summary = "Store or replace a session",
    description = "The body is the same as for POST. `session_id` is optional and must be equal to \
                   the id in the path. A session stored under the id is replaced in the same \
                   transaction, together with its contribution to every summary.",
    error_code = 400,
    error_code = 404,
    error_code = 408,
    error_code = 413,
    error_code = 415,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn put_session(
    _: QueryString<NoParams>,
    path: web::Path<SessionPath>,
    body: JsonBody<SessionBody>,
    state: web::Data<AppState>,
) -> Result<Reply<Receipt>, Problem> {
    let id: SessionId = path.id()?;
    let source = Arc::new(JsonSource::new(body.bytes.clone()).at_session_id(id));
    let lane = state.cpu.lane(body.peer, body.bytes.len());
    let write = async |stage: &WriteStage| {
        state
            .ingest
            .ingest(&lane, source, OnConflict::Replace, None, stage)
            .await
    };
    let done = state.within_write_timeout(write).await?;
    state.log_users.note(done.user_id).await;
    Ok(receipt(&done))
}
