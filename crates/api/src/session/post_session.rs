//! `POST /api/sessions/`

use std::sync::Arc;

use actix_web::web;
use apistos::api_operation;
use time_series_domain::SessionId;
use time_series_domain::ingest::{JsonSource, OnConflict};
use time_series_domain::session::WriteStage;
use uuid::Uuid;

use super::receipt::{Receipt, receipt};
use super::session_body::SessionBody;
use crate::openapi::Reply;
use crate::problem::Problem;
use crate::request::{
    Choice, Flag, FromQuery, Idempotency, JsonBody, Parameter, QueryParams, QueryString,
};
use crate::state::AppState;

pub(super) static ON_CONFLICT: Choice<OnConflict> = Choice::new(
    "on_conflict",
    &[
        ("error", OnConflict::Error),
        ("ignore", OnConflict::Ignore),
        ("replace", OnConflict::Replace),
        ("append", OnConflict::Append),
    ],
    "Action if another session has the same id: `error` (default) rejects the session with 409, \
     `ignore` keeps the stored session, `replace` replaces the stored session, `append` adds the \
     points to it.",
)
.example("replace");

static DRY_RUN: Flag = Flag::new(
    "dry_run",
    "`true` validates the session and stores nothing. Default: `false`.",
)
.example("true");

/// Parameters of a stored session.
pub(crate) struct PostParams {
    on_conflict: OnConflict,
    dry_run: bool,
}

impl FromQuery for PostParams {
    type Parsed = Self;

    const PARAMETERS: &'static [&'static dyn Parameter] = &[&ON_CONFLICT, &DRY_RUN];

    fn from_query(params: &mut QueryParams) -> Self {
        Self {
            on_conflict: ON_CONFLICT.read(params).unwrap_or_default(),
            dry_run: DRY_RUN.read(params),
        }
    }
}

/// Stores a session.
#[api_operation(
    tag = "sessions",
    operation_id = "post_session",
    summary = "Store a session",
    description = "Validates every point against the JSON Schema of its series and stores the \
                   session completely or not at all. Sending the same session again changes \
                   nothing and returns 200, so that retries of a session with an id are safe. The \
                   problem of a rejected session lists its errors.",
    error_code = 400,
    error_code = 408,
    error_code = 409,
    error_code = 413,
    error_code = 415,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn post_session(
    params: QueryString<PostParams>,
    key: Idempotency,
    body: JsonBody<SessionBody>,
    state: web::Data<AppState>,
) -> Result<Reply<Receipt>, Problem> {
    let generated = SessionId(Uuid::now_v7());
    let source = Arc::new(JsonSource::new(body.bytes.clone()).or_session_id(generated));
    let lane = state.cpu.lane(body.peer, body.bytes.len());
    let done = if params.0.dry_run {
        state
            .within_write_timeout(async |_: &WriteStage| state.ingest.dry_run(&lane, source).await)
            .await?
    } else {
        let on_conflict = params.0.on_conflict;
        let key = key.0.as_ref();
        let write = async |stage: &WriteStage| {
            state
                .ingest
                .ingest(&lane, source, on_conflict, key, stage)
                .await
        };
        state.within_write_timeout(write).await?
    };
    state.log_users.note(done.user_id).await;
    Ok(receipt(&done))
}
