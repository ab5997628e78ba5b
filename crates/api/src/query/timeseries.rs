//! `GET /api/timeseries/`

use std::sync::Arc;

use actix_web::http::header::{ETAG, HeaderName};
use actix_web::web;
use apistos::api_operation;
use bytes::Bytes;
use futures_util::stream;
use time_series_domain::fingerprint::Fingerprint;
use time_series_domain::ports::ScanHead;
use time_series_domain::query::{AggregateAnswer, Found, RELATIVE_ERROR, answer_key};
use tokio::sync::mpsc;

use super::asked::{Asked, Output, Parsed};
use super::params::TimeseriesParams;
use super::render::Render;
use super::timeseries_answer::Timeseries;
use crate::format::{Format, WriterError};
use crate::openapi::{Rendered, Truncated};
use crate::problem::Problem;
use crate::reads::Reads;
use crate::request::{KnownEtags, QueryString, RequestContext, USER_VERSION, etag_of};
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
    answer_parsed(params.0, caller, known, state).await
}

/// Answers a query whose parameters were read.
pub(super) async fn answer_parsed(
    parsed: Parsed,
    caller: RequestContext,
    known: KnownEtags,
    state: web::Data<AppState>,
) -> Result<Rendered<Timeseries>, Problem> {
    if parsed.asks_for_many() {
        caller.require_admin()?;
    }
    let format = Format::negotiate(parsed.format, caller.accept(), &Format::ALL)?;
    let min_version = parsed.min_version;
    let asked = parsed.ask(state.clock.now())?;
    if asked.query.explain && !matches!(format, Format::Json | Format::Ndjson) {
        return Err(Problem::parameter(
            "explain",
            format!("has no place in {}; ask for json or ndjson", format.name()),
        ));
    }
    if asked.output == Output::Columns && format != Format::Json {
        return Err(Problem::parameter(
            "layout",
            "is columns, which is for format=json",
        ));
    }
    if let [user] = *asked.query.users {
        state.log_users.note(user).await;
    }
    let source = state
        .source_of_reads(&caller, &asked.query.users, min_version)
        .await?;
    let shared = state.clone().into_inner();
    let answer = async move {
        source
            .answer(|reads| answer(shared.clone(), reads, known.clone(), asked.clone(), format))
            .await
    };
    state.queries.run(&caller, Box::pin(answer)).await
}

async fn answer(
    state: Arc<AppState>,
    reads: Arc<Reads>,
    known: KnownEtags,
    asked: Asked,
    format: Format,
) -> Result<Rendered<Timeseries>, Problem> {
    let render_key = asked.render_key(format, &state.cache_namespace);
    if known.is_conditional() && !asked.until_now {
        let head = reads.aggregate.head_of(&asked.query).await?;
        let tag = tag(&asked, &render_key, head);
        if known.has(&tag) {
            return Ok(Rendered::not_modified()
                .header(ETAG, &tag)
                .header(USER_VERSION, &head.version.to_string()));
        }
    }
    let is_worth_keeping = !asked.until_now && !asked.query.explain;
    let (head, rendered) = match reads
        .aggregate
        .answer(&asked.query, is_worth_keeping.then_some(&render_key))
        .await?
    {
        Found::Kept { rendered, head } => {
            metrics::counter!("cache_answers_total", "result" => "hit").increment(1);
            (head, Rendered::whole(format.media_type(), rendered))
        }
        Found::Made(answer, keep) => {
            if keep.is_some() {
                metrics::counter!("cache_answers_total", "result" => "miss").increment(1);
            }
            let head = ScanHead {
                version: answer.version,
                generation: answer.generation,
            };
            let cache = cache_words(&reads, &asked);
            let notes = notes(&answer, format);
            let render = Render::new(asked.clone(), *answer, format, cache);
            let mut rendered = if render.is_small() {
                let bytes = render.whole().map_err(|e| broken(&e))?;
                if let Some(keep) = keep.filter(|_| notes.is_empty()) {
                    reads.aggregate.keep(keep, &bytes).await;
                }
                Rendered::whole(format.media_type(), bytes)
            } else {
                stream_of(&state, render, format)?
            };
            for (name, note) in notes {
                rendered = rendered.header(name, &note);
            }
            (head, rendered)
        }
    };
    Ok(rendered
        .header(ETAG, &tag(&asked, &render_key, head))
        .header(USER_VERSION, &head.version.to_string()))
}

/// What has no place in the body: how many rows are approximate, how many series were skipped.
fn notes(answer: &AggregateAnswer, format: Format) -> Vec<(HeaderName, String)> {
    let mut notes = Vec::new();
    if format == Format::Json {
        return notes;
    }
    if answer.approximate > 0 && format != Format::Ndjson {
        let approximate = format!(
            "buckets={}; relative_error={RELATIVE_ERROR}",
            answer.approximate
        );
        notes.push((HeaderName::from_static("answer-approximate"), approximate));
    }
    if !answer.skipped.is_empty() {
        notes.push((
            HeaderName::from_static("answer-skipped"),
            answer.skipped.len().to_string(),
        ));
    }
    notes
}

/// Chunks that are rendered as they are sent, no faster than they are read. The answer's memory is held until the last of
/// them.
fn stream_of(
    state: &AppState,
    mut render: Render,
    format: Format,
) -> Result<Rendered<Timeseries>, Problem> {
    // CSV has nothing that tells its end: its length does.
    let length = if format == Format::Csv {
        Some(render.measure().map_err(|e| broken(&e))?)
    } else {
        None
    };
    let (sender, chunks) = mpsc::channel(1);
    let rendering = state.queries.runtime().spawn(async move {
        for chunk in render {
            let chunk = chunk.map(Bytes::from).map_err(|e| {
                tracing::error!(error = %e, "an answer was broken off");
                Truncated
            });
            // The caller may have left.
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

fn broken(e: &WriterError) -> Problem {
    tracing::error!(error = %e, "an answer could not be written");
    Problem::internal()
}

fn tag(asked: &Asked, render_key: &Fingerprint, head: ScanHead) -> String {
    etag_of(&answer_key(&asked.query, render_key, head))
}

const fn cache_words(reads: &Reads, asked: &Asked) -> &'static str {
    if !reads.aggregate.has_cache() {
        "off"
    } else if asked.query.explain {
        "passed by: explain=true shows what it takes to make the answer"
    } else {
        "missed"
    }
}
