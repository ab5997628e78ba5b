//! Health probes and the metrics endpoint.

use actix_web::{HttpResponse, web};
use apistos::api_operation;

use crate::metrics::observe;
use crate::openapi::{Answer, Example, Reply};
use crate::problem::{Code, Problem};
use crate::request::{Choice, FromQuery, NoParams, Parameter, QueryParams, QueryString};
use crate::state::{AppState, Heartbeat};
use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// Result of a successful liveness probe.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Health {
    /// Always `ok`.
    status: &'static str,
}

/// Result of a successful readiness probe.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Ready {
    /// Always `ok`.
    status: &'static str,
    /// State of reads: always `ok`.
    reads: &'static str,
    /// State of writes: `ok` or `failing`. The service tests a commit every second.
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
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "The process is running.")];
}

impl Answer for Ready {
    const STATUSES: &'static [(u16, &'static str)] =
        &[(200, "Reads succeed; `writes` is the state of writes.")];
}

/// True if the service must be ready for writes.
static FOR_WRITES: Choice<bool> = Choice::new(
    "for",
    &[("reads", false), ("writes", true)],
    "`reads` (default) or `writes`. With `writes`, the probe also fails with 503 while commits \
     fail.",
)
.example("writes");

/// The kind of request that the service must be ready for.
pub(crate) struct ReadyParams;

impl FromQuery for ReadyParams {
    type Parsed = bool;

    const PARAMETERS: &'static [&'static dyn Parameter] = &[&FOR_WRITES];

    fn from_query(params: &mut QueryParams) -> bool {
        FOR_WRITES.read(params).unwrap_or(false)
    }
}

/// Liveness probe.
#[api_operation(
    tag = "health",
    operation_id = "live",
    summary = "Check liveness",
    description = "Succeeds while the process serves requests, whatever the state of the database. \
                   Restart the process when this probe fails.",
    error_code = 422
)]
pub(crate) async fn live(_: QueryString<NoParams>) -> Result<Reply<Health>, Problem> {
    Ok(Reply::ok(Health { status: "ok" }))
}

/// Readiness probe.
#[api_operation(
    tag = "health",
    operation_id = "ready",
    summary = "Check readiness",
    description = "Returns the result of the last heartbeat at once. Every second, the heartbeat \
                   checks that the database has all migrations, that reads succeed and that a \
                   commit succeeds. Route no requests to the service while this probe fails; the \
                   service recovers without a restart. The state of the cache does not affect \
                   readiness.",
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
        Err(reason) => Err(Problem::new(
            Code::Unavailable,
            format!("The service is not ready: {reason}."),
        )),
    }
}

/// `GET /metrics/`, in the Prometheus text format.
pub(crate) async fn metrics(_: QueryString<NoParams>, state: web::Data<AppState>) -> HttpResponse {
    observe(&state.readiness.usage(), state.query_memory.reserved());
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(state.metrics.render())
}
