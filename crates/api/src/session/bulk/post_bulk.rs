//! `POST /api/sessions/bulk/`

use std::sync::Arc;

use actix_web::web;
use apistos::api_operation;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use time_series_domain::ingest::OnConflict;
use time_series_domain::session::{Ingested, WriteStage};

use super::body::BulkBody;
use super::report::{ReportFilter, Totals, Verdict};
use super::sessions::{AdmittedItem, sessions};
use crate::format::Format;
use crate::net::PeerId;
use crate::openapi::{Rendered, Truncated};
use crate::problem::Problem;
use crate::request::{Choice, FromQuery, Parameter, QueryParams, QueryString};
use crate::session::post_session::ON_CONFLICT;
use crate::session::receipt::count;
use crate::state::AppState;

/// Maximum number of concurrent writes per body.
const MAX_CONCURRENT_WRITES: usize = 128;

static VERDICTS: Choice<ReportFilter> = Choice::new(
    "verdicts",
    &[("all", ReportFilter::All), ("failed", ReportFilter::Failed)],
    "Verdicts in the response: `all` (default), or `failed` for those of rejected sessions only. \
     Use `failed` if the client does not read the response while it sends.",
)
.example("all");

/// Parameters of a bulk upload.
pub(crate) struct BulkParams;

/// Parsed parameters.
pub(crate) struct Bulk {
    on_conflict: OnConflict,
    filter: ReportFilter,
}

impl FromQuery for BulkParams {
    type Parsed = Bulk;

    const PARAMETERS: &'static [&'static dyn Parameter] = &[&ON_CONFLICT, &VERDICTS];

    fn from_query(params: &mut QueryParams) -> Bulk {
        Bulk {
            on_conflict: ON_CONFLICT.read(params).unwrap_or_default(),
            filter: VERDICTS.read(params).unwrap_or_default(),
        }
    }
}

/// Stores sessions while they arrive.
#[api_operation(
    tag = "sessions",
    operation_id = "post_bulk",
    summary = "Store many sessions",
    description = "Stores any number of sessions: NDJSON with one session per line, or CSV with \
                   one point per row, optionally compressed with gzip or zstd. The response is a \
                   stream with one verdict per session, sent while the body is read. Each session \
                   is stored completely or not at all; a rejected session does not affect the \
                   others. Every session needs a `session_id`, so that an interrupted upload can \
                   be sent again. Unread verdicts apply backpressure; a client that does not read \
                   while it sends should set `verdicts=failed`.",
    error_code = 400,
    error_code = 408,
    error_code = 413,
    error_code = 415,
    error_code = 422
)]
pub(crate) async fn post_bulk(
    params: QueryString<BulkParams>,
    body: BulkBody,
    state: web::Data<AppState>,
) -> Result<Rendered<Verdict>, Problem> {
    let Bulk {
        on_conflict,
        filter,
    } = params.0;
    let state = state.into_inner();
    let (is_csv, peer) = (body.is_csv, body.peer);
    let mut sessions = sessions(body, state.clone(), peer);
    // An invalid CSV header is an error of the whole body and determines the status.
    let first = if is_csv {
        sessions.recv().await.transpose()?
    } else {
        None
    };
    let rest = stream::unfold(sessions, async |mut sessions| {
        Some((sessions.recv().await?, sessions))
    });
    let sessions = stream::iter(first.map(Ok)).chain(rest);
    let done = sessions
        .map(move |item| store(state.clone(), peer, item, on_conflict))
        .buffered(MAX_CONCURRENT_WRITES);
    Ok(Rendered::chunks(
        Format::Ndjson.media_type(),
        Box::pin(verdicts(done, filter)),
        None,
    ))
}

/// The first line and the result of a session, or the error that ends the body.
type Done = Result<(u64, Result<Ingested, Problem>), Problem>;

async fn store(
    state: Arc<AppState>,
    peer: PeerId,
    item: Result<AdmittedItem, Problem>,
    on_conflict: OnConflict,
) -> Done {
    // The permit is held until the session is stored.
    let AdmittedItem {
        item,
        permit: _permit,
    } = item?;
    let done = match item.content {
        Ok(content) => {
            let lane = state.cpu.lane(peer, item.bytes).patient();
            let content = Arc::new(content);
            let write = async |stage: &WriteStage| {
                state
                    .ingest
                    .ingest(&lane, content, on_conflict, None, stage)
                    .await
            };
            state.within_write_timeout(write).await
        }
        Err(problem) => Err(problem),
    };
    done.iter().for_each(count);
    Ok((item.line, done))
}

/// Renders the verdicts, in chunks of those available, and the end record.
fn verdicts(
    done: impl Stream<Item = Done> + 'static,
    filter: ReportFilter,
) -> impl Stream<Item = Result<Bytes, Truncated>> {
    let state = Some((
        Box::pin(done.ready_chunks(MAX_CONCURRENT_WRITES)),
        Totals::default(),
    ));
    stream::unfold(state, move |state| async move {
        let (mut done, mut totals) = state?;
        let mut out = Vec::new();
        while out.is_empty() {
            let Some(chunk) = done.next().await else {
                totals.end(None, &mut out);
                return Some((Ok(out.into()), None));
            };
            for result in chunk {
                match result {
                    Ok((line, done)) => totals.add(line, &done, filter, &mut out),
                    Err(problem) => {
                        totals.end(Some(&problem), &mut out);
                        return Some((Ok(out.into()), None));
                    }
                }
            }
        }
        Some((Ok(out.into()), Some((done, totals))))
    })
}
