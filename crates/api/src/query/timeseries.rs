//! `GET /api/timeseries/`

use std::sync::Arc;

use actix_web::http::header::{ETAG, HeaderName};
use actix_web::web;
use apistos::api_operation;
use bytes::Bytes;
use futures_util::stream;
use time_series_domain::fingerprint::Fingerprint;
use time_series_domain::ports::DataVersion;
use time_series_domain::query::{AggregateAnswer, CacheLookup, RELATIVE_ERROR, cache_key};
use tokio::sync::mpsc;

use super::aggregate_params::{AggregateParams, TimeseriesParams};
use super::render::Render;
use super::request::AggregateRequest;
use super::timeseries_answer::Timeseries;
use crate::format::{Format, WriterError};
use crate::openapi::{Rendered, Truncated};
use crate::problem::Problem;
use crate::reads::Reads;
use crate::request::{KnownEtags, Output, QueryString, RequestContext, USER_VERSION, etag_of};
use crate::state::AppState;

/// Aggregates a user's series.
#[api_operation(
    tag = "timeseries",
    operation_id = "timeseries",
    summary = "Aggregate series over buckets",
    description = "Exact aggregates of points, by series and bucket, from one snapshot that has every acknowledged write. A parameter that does not exist is an error.",
    error_code = 401,
    error_code = 403,
    error_code = 406,
    error_code = 412,
    error_code = 422,
    error_code = 500,
    error_code = 503
)]
pub(crate) async fn timeseries(
    params: QueryString<TimeseriesParams>,
    caller: RequestContext,
    state: web::Data<AppState>,
) -> Result<Rendered<Timeseries>, Problem> {
    let known = caller.known_etags();
    answer_params(params.0, caller, known, state).await
}

/// Answers a query with parsed parameters.
pub(super) async fn answer_params(
    params: AggregateParams,
    caller: RequestContext,
    known: KnownEtags,
    state: web::Data<AppState>,
) -> Result<Rendered<Timeseries>, Problem> {
    if params.has_many_users() {
        caller.require_admin()?;
    }
    let format = Format::negotiate(params.format, caller.accept(), &Format::ALL)?;
    let min_version = params.min_version;
    let request = params.resolve(state.clock.now())?;
    if request.spec.explain && !matches!(format, Format::Json | Format::Ndjson) {
        return Err(Problem::parameter(
            "explain",
            format!("has no place in {}; ask for json or ndjson", format.name()),
        ));
    }
    if request.output == Output::Columns && format != Format::Json {
        return Err(Problem::parameter(
            "layout",
            "is columns, which is for format=json",
        ));
    }
    if let [user] = *request.spec.users {
        state.log_users.note(user).await;
    }
    let source = state
        .source_of_reads(&caller, &request.spec.users, min_version)
        .await?;
    let shared = state.clone().into_inner();
    let answer = async move {
        source
            .answer(|reads| {
                answer(
                    shared.clone(),
                    reads,
                    known.clone(),
                    request.clone(),
                    format,
                )
            })
            .await
    };
    state.queries.run(&caller, Box::pin(answer)).await
}

async fn answer(
    state: Arc<AppState>,
    reads: Arc<Reads>,
    known: KnownEtags,
    request: AggregateRequest,
    format: Format,
) -> Result<Rendered<Timeseries>, Problem> {
    let render_key = request.render_key(format, &state.cache_namespace);
    if known.is_conditional() && !request.until_now {
        let data_version = reads.aggregate.data_version_of(&request.spec).await?;
        let tag = tag(&request, &render_key, data_version);
        if known.has(&tag) {
            return Ok(Rendered::not_modified()
                .header(ETAG, &tag)
                .header(USER_VERSION, &data_version.version.to_string()));
        }
    }
    let is_cacheable = !request.until_now && !request.spec.explain;
    let (data_version, rendered) = match reads
        .aggregate
        .answer(&request.spec, is_cacheable.then_some(&render_key))
        .await?
    {
        CacheLookup::Hit {
            rendered,
            data_version,
        } => {
            metrics::counter!("cache_answers_total", "result" => "hit").increment(1);
            (data_version, Rendered::whole(format.media_type(), rendered))
        }
        CacheLookup::Miss(answer, write) => {
            if write.is_some() {
                metrics::counter!("cache_answers_total", "result" => "miss").increment(1);
            }
            let data_version = DataVersion {
                version: answer.version,
                generation: answer.generation,
            };
            let cache = cache_status(&reads, &request);
            let headers = extra_headers(&answer, format);
            let render = Render::new(request.clone(), *answer, format, cache);
            let mut rendered = if render.is_small() {
                let bytes = render.whole().map_err(|e| write_failed(&e))?;
                if let Some(write) = write.filter(|_| headers.is_empty()) {
                    reads.aggregate.store(write, &bytes).await;
                }
                Rendered::whole(format.media_type(), bytes)
            } else {
                stream_of(&state, render, format)?
            };
            for (name, value) in headers {
                rendered = rendered.header(name, &value);
            }
            (data_version, rendered)
        }
    };
    Ok(rendered
        .header(ETAG, &tag(&request, &render_key, data_version))
        .header(USER_VERSION, &data_version.version.to_string()))
}

/// Returns headers for what has no place in the body: the numbers of approximate rows and of
/// skipped series.
fn extra_headers(answer: &AggregateAnswer, format: Format) -> Vec<(HeaderName, String)> {
    let mut headers = Vec::new();
    if format == Format::Json {
        return headers;
    }
    if answer.approximate > 0 && format != Format::Ndjson {
        let approximate = format!(
            "buckets={}; relative_error={RELATIVE_ERROR}",
            answer.approximate
        );
        headers.push((HeaderName::from_static("answer-approximate"), approximate));
    }
    if !answer.skipped.is_empty() {
        headers.push((
            HeaderName::from_static("answer-skipped"),
            answer.skipped.len().to_string(),
        ));
    }
    headers
}

/// Renders chunks as they are sent, no faster than the client reads them. The reserved memory is
/// held until the last chunk.
fn stream_of(
    state: &AppState,
    mut render: Render,
    format: Format,
) -> Result<Rendered<Timeseries>, Problem> {
    // CSV has no end marker: its end is known from the length.
    let length = if format == Format::Csv {
        Some(render.measure().map_err(|e| write_failed(&e))?)
    } else {
        None
    };
    let (sender, chunks) = mpsc::channel(1);
    let rendering = state.queries.runtime().spawn(async move {
        for chunk in render {
            let chunk = chunk.map(Bytes::from).map_err(|e| {
                tracing::error!(error = %e, "an answer was truncated");
                Truncated
            });
            // The client may have disconnected.
            if sender.send(chunk).await.is_err() {
                return;
            }
        }
    });
    if rendering.is_none() {
        return Err(Problem::internal());
    }
    let chunks = stream::unfold(chunks, async |mut chunks| {
        Some((chunks.recv().await?, chunks))
    });
    Ok(Rendered::chunks(
        format.media_type(),
        Box::pin(chunks),
        length,
    ))
}

fn write_failed(e: &WriterError) -> Problem {
    tracing::error!(error = %e, "an answer could not be written");
    Problem::internal()
}

fn tag(request: &AggregateRequest, render_key: &Fingerprint, data_version: DataVersion) -> String {
    etag_of(&cache_key(&request.spec, render_key, data_version))
}

const fn cache_status(reads: &Reads, request: &AggregateRequest) -> &'static str {
    if !reads.aggregate.has_cache() {
        "off"
    } else if request.spec.explain {
        "bypassed: explain=true measures a new answer"
    } else {
        "missed"
    }
}
