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

/// Stores a session in place of any other of its id.
#[api_operation(
    tag = "sessions",
    operation_id = "put_session",
    summary = "Store or replace a session",
    description = "The body is that of a POST; its session_id may be left out and else must be the one of the path. What was stored under the id is replaced in the same transaction, with every summary it was part of.",
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
