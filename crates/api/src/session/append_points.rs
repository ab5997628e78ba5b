//! `POST /api/sessions/{session_id}/points/`

use std::sync::Arc;

use actix_web::web;
use apistos::api_operation;
use time_series_domain::ingest::{IngestError, JsonSource, RawSession, WriteStage};
use time_series_domain::ports::run_in;

use super::owner::{OwnerParams, SessionPath, owner_of};
use super::receipt::{Receipt, receipt};
use super::session_body::PartBody;
use crate::openapi::Reply;
use crate::problem::Problem;
use crate::request::{Idempotency, JsonBody, QueryString};
use crate::state::AppState;

/// Adds points to a session.
#[api_operation(
    tag = "sessions",
    operation_id = "append_points",
    summary = "Append points to a session",
    description = "For sessions that are still recorded: adds points, all or none, to a session that is stored. They may be earlier than those that are there. Sending the same points again changes nothing; with an `Idempotency-Key`, the key tells a retry, whose answer is then the first one again, with the header `idempotent-replayed: true`. `points` is how many were sent, `total_points` how many the session has.",
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
    body: JsonBody<PartBody>,
    state: web::Data<AppState>,
) -> Result<Reply<Receipt>, Problem> {
    let id = path.id()?;
    let lane = state.cpu.lane(body.peer, body.bytes.len());
    let append = async |stage: &WriteStage| {
        let named = if let Some(user) = params.0.user() {
            Some(user)
        } else {
            let bytes = body.bytes.clone();
            run_in(&lane, move || RawSession::user_of_json(&bytes))
                .await
                .map_err(IngestError::from)?
        };
        let user = owner_of(&state, id, named).await?;
        let source = Arc::new(
            JsonSource::new(body.bytes.clone())
                .of_user(user)
                .at_session_id(id),
        );
        Ok::<_, Problem>(
            state
                .ingest
                .append(&lane, source, key.0.as_ref(), stage)
                .await?,
        )
    };
    let done = state.within_write_timeout(append).await?;
    Ok(receipt(&done))
}
