//! Probes and metrics.

use actix_web::{HttpResponse, web};
use apistos::api_operation;

use crate::instruments::observe;
use crate::openapi::{Answer, Example, Reply};
use crate::problem::{Code, Problem};
use crate::request::{FromPairs, NoParams, Pairs, QueryString};
use crate::state::{AppState, Heartbeat};
use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// The answer of a probe that succeeds.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Health {
    /// `ok`
    status: &'static str,
}

/// The answer of the readiness probe.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Ready {
    /// `ok`
    status: &'static str,
    /// Whether reads work: `ok`.
    reads: &'static str,
    /// Whether writes work: `ok` or `failing`. A commit is tried every second.
    writes: &'static str,
}

impl Example for Health {
    fn example() -> Value {
        json!({"status": "ok"})
    }
}

impl Example for Ready {
    fn example() -> Value {
        json!({"status": "ok", "reads": "ok", "writes": "ok"})
    }
}

impl Answer for Health {
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "Yes.")];
}

impl Answer for Ready {
    const STATUSES: &'static [(u16, &'static str)] =
        &[(200, "Reads work; `writes` says whether writes do.")];
}

/// The operation that readiness is asked for.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what is parsed")]
pub(crate) struct ReadyParams {
    /// `reads` (default), or `writes`: 503 as well while a commit does not succeed.
    r#for: Option<String>,
}

impl FromPairs for ReadyParams {
    type Parsed = bool;

    const NAMES: &'static [&'static str] = &["for"];

    fn examples() -> Vec<(&'static str, Value)> {
        vec![("for", json!("writes"))]
    }

    fn from_pairs(pairs: &mut Pairs) -> bool {
        pairs
            .word("for", &[("reads", false), ("writes", true)])
            .unwrap_or(false)
    }
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
    description = "Answers at once from a heartbeat that asks the database every second: whether it has all migrations and answers reads, and whether a commit succeeds. Send no requests here while this fails; it recovers by itself. The cache does not matter: without it answers are slower, never wrong.",
    error_code = 422,
    error_code = 503
)]
pub(crate) async fn ready(
    for_writes: QueryString<ReadyParams>,
    state: web::Data<AppState>,
) -> Result<Reply<Ready>, Problem> {
    let Heartbeat { reads, writes, .. } = state.readiness.last();
    let needed = if for_writes.0 {
        reads.and(writes)
    } else {
        reads
    };
    match needed {
        Ok(()) => {
            let writes = if writes.is_ok() { "ok" } else { "failing" };
            Ok(Reply::ok(Ready {
                status: "ok",
                reads: "ok",
                writes,
            }))
        }
        Err(why) => Err(Problem::new(
            Code::Unavailable,
            format!("Not ready: {why}."),
        )),
    }
}

/// `GET /metrics`, in Prometheus' text format.
pub(crate) async fn metrics(_: QueryString<NoParams>, state: web::Data<AppState>) -> HttpResponse {
    observe(&state.readiness.usage(), state.query_memory.reserved());
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(state.metrics.render())
}
