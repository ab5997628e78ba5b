//! `POST /api/timeseries/`

use actix_web::web;
use apistos::api_operation;
use serde_json::{Value, json};
use time_series_domain::ports::run_in;
use time_series_domain::session::IngestError;

use super::aggregate_params::TimeseriesParams;
use super::timeseries::answer_params;
use super::timeseries_answer::Timeseries;
use crate::openapi::{Example, Rendered};
use crate::problem::Problem;
use crate::request::{
    JsonBody, KnownEtags, NoParams, QueryString, RequestContext, read_json, too_large,
};
use crate::state::AppState;

/// Maximum length of the body: enough for 100,000 users.
const LONGEST: usize = 8 << 20;

impl Example for TimeseriesParams {
    fn example() -> Value {
        json!({
            "user_id": ["d38834e0-fe46-4bf9-831d-1d5b125bdc9b"],
            "series": ["session.gut_health_score"],
            "interval": "month",
            "start_time": "2025-01-01",
            "end_time": "2025-02-01T00:00:00Z",
            "agg_func": "avg,p90",
            "where": "value>=20"
        })
    }
}

/// Aggregates a user's series, for queries that do not fit into a URL.
#[api_operation(
    tag = "timeseries",
    operation_id = "post_timeseries",
    summary = "Aggregate series over buckets, with parameters in the body",
    description = "As `GET /api/timeseries/`, with the same parameters as members of a JSON object: for up to 100,000 users, and for conditions without percent-encoding. The request is read-only and never returns 304.",
    error_code = 400,
    error_code = 401,
    error_code = 403,
    error_code = 406,
    error_code = 408,
    error_code = 412,
    error_code = 413,
    error_code = 415,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn post_timeseries(
    _: QueryString<NoParams>,
    caller: RequestContext,
    body: JsonBody<TimeseriesParams>,
    state: web::Data<AppState>,
) -> Result<Rendered<Timeseries>, Problem> {
    if body.bytes.len() > LONGEST {
        return Err(too_large(LONGEST));
    }
    let lane = state.cpu.lane(body.peer, body.bytes.len());
    let bytes = body.bytes.clone();
    let params = run_in(&lane, move || read_json::<TimeseriesParams>(&bytes)).await;
    let params = params.map_err(|busy| Problem::from(IngestError::from(busy)))??;
    answer_params(params, caller, KnownEtags::NONE, state).await
}
