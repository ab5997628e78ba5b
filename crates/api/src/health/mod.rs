//! Probes and metrics.

use actix_web::{HttpResponse, web};
use apistos::api_operation;

use crate::openapi::{Answer, Example, Reply};
use crate::problem::{Code, Problem};
use crate::request::{NoParams, QueryString};
use crate::state::AppState;
use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A probe's good answer.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Health {
    /// `ok`
    status: &'static str,
}

impl Example for Health {
    fn example() -> Value {
        json!({"status": "ok"})
    }
}

impl Answer for Health {
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "Yes.")];
}

/// Whether the process runs.
#[api_operation(
    tag = "health",
    operation_id = "live",
    summary = "Is the process alive?",
    description = "Answers without looking at anything else. Restart the process when this fails.",
    error_code = 422
)]
pub(crate) async fn live(_: QueryString<NoParams>) -> Result<Reply<Health>, Problem> {
    Ok(Reply::ok(Health { status: "ok" }))
}

/// Whether requests can be answered.
#[api_operation(
    tag = "health",
    operation_id = "ready",
    summary = "Can requests be answered?",
    description = "Asks the database, and whether it has all migrations. Send no requests here while this fails; it recovers by itself. The cache does not matter: without it answers are slower, never wrong.",
    error_code = 422,
    error_code = 503
)]
pub(crate) async fn ready(_: QueryString<NoParams>, state: web::Data<AppState>) -> Result<Reply<Health>, Problem> {
    match state.readiness.check().await {
        Ok(()) => Ok(Reply::ok(Health { status: "ok" })),
        Err(why) => Err(Problem::new(Code::Unavailable, format!("Not ready: {why}."))),
    }
}

/// `GET /metrics`, in Prometheus' text format.
pub(crate) async fn metrics(_: QueryString<NoParams>, state: web::Data<AppState>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(state.metrics.render())
}
