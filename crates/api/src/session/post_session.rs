//! `POST /api/sessions/`

use std::sync::Arc;

use actix_web::web;
use apistos::{ApiComponent, api_operation};
use schemars::JsonSchema;
use serde_json::{Value, json};
use time_series_domain::SessionId;
use time_series_domain::ingest::{JsonSource, OnConflict};
use time_series_domain::session::WriteStage;
use uuid::Uuid;

use super::receipt::{Receipt, receipt};
use super::session_body::SessionBody;
use crate::openapi::Reply;
use crate::problem::Problem;
use crate::request::{FromQuery, Idempotency, JsonBody, QueryParams, QueryString};
use crate::state::AppState;

/// Parameters of a stored session.
#[derive(JsonSchema, ApiComponent)]
pub(crate) struct PostParams {
    /// Action if another session has the same id: `error` (default) returns 409, `ignore` keeps the
    /// stored session, `replace` replaces the stored session, `append` adds the points to it.
    #[schemars(with = "Option<String>")]
    on_conflict: Option<OnConflictParam>,
    /// `true` validates the session and stores nothing. Default: `false`.
    dry_run: Option<bool>,
}

struct OnConflictParam(OnConflict);

impl FromQuery for PostParams {
    type Parsed = Self;

    const NAMES: &'static [&'static str] = &["on_conflict", "dry_run"];

    fn examples() -> Vec<(&'static str, Value)> {
        vec![("on_conflict", json!("replace")), ("dry_run", json!(true))]
    }

    fn from_query(params: &mut QueryParams) -> Self {
        let on_conflict = read_on_conflict(params).map(OnConflictParam);
        Self {
            on_conflict,
            dry_run: Some(params.flag("dry_run")),
        }
    }
}

/// Parses the parameter `on_conflict`.
pub(super) fn read_on_conflict(params: &mut QueryParams) -> Option<OnConflict> {
    let words = [
        ("error", OnConflict::Error),
        ("ignore", OnConflict::Ignore),
        ("replace", OnConflict::Replace),
        ("append", OnConflict::Append),
    ];
    params.word("on_conflict", &words)
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
    let done = if params.0.dry_run == Some(true) {
        state
            .within_write_timeout(async |_: &WriteStage| state.ingest.dry_run(&lane, source).await)
            .await?
    } else {
        let on_conflict = params.0.on_conflict.map_or(OnConflict::Error, |p| p.0);
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
