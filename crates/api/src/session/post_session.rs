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
use crate::request::{FromPairs, Idempotency, JsonBody, Pairs, QueryString};
use crate::state::AppState;

/// How to store a session.
#[derive(JsonSchema, ApiComponent)]
pub(crate) struct PostParams {
    /// What to do when another session has the same id: `error` (default) answers 409, `ignore` keeps the stored one, `replace` puts this one in its place, `append` adds its points to the stored ones.
    #[schemars(with = "Option<String>")]
    on_conflict: Option<OnConflictParam>,
    /// `true`: only check the session, store nothing.
    dry_run: Option<bool>,
}

struct OnConflictParam(OnConflict);

impl FromPairs for PostParams {
    type Parsed = Self;

    const NAMES: &'static [&'static str] = &["on_conflict", "dry_run"];

    fn examples() -> Vec<(&'static str, Value)> {
        vec![("on_conflict", json!("replace")), ("dry_run", json!(true))]
    }

    fn from_pairs(pairs: &mut Pairs) -> Self {
        let on_conflict = read_on_conflict(pairs).map(OnConflictParam);
        Self {
            on_conflict,
            dry_run: Some(pairs.flag("dry_run")),
        }
    }
}

/// The parameter `on_conflict`.
pub(super) fn read_on_conflict(pairs: &mut Pairs) -> Option<OnConflict> {
    let words = [
        ("error", OnConflict::Error),
        ("ignore", OnConflict::Ignore),
        ("replace", OnConflict::Replace),
        ("append", OnConflict::Append),
    ];
    pairs.word("on_conflict", &words)
}

/// Stores a session.
#[api_operation(
    tag = "sessions",
    operation_id = "post_session",
    summary = "Store a session",
    description = "Checks every point against its series' JSON Schema and stores the session whole or not at all. Sending the same session again changes nothing and answers 200, so a retry is always safe when the session has an id. Every fault of a refused session is named.",
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
    let made = SessionId(Uuid::now_v7());
    let source = Arc::new(JsonSource::new(body.bytes.clone()).or_session_id(made));
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
