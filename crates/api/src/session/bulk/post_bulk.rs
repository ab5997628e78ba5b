//! `POST /api/sessions/bulk/`

use std::sync::Arc;

use actix_web::web;
use apistos::{ApiComponent, api_operation};
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use schemars::JsonSchema;
use serde_json::{Value, json};
use time_series_domain::ingest::OnConflict;
use time_series_domain::session::{Ingested, WriteStage};

use super::body::LinesBody;
use super::sessions::{Taken, sessions};
use super::verdict::{Told, Totals, Verdict};
use crate::format::Format;
use crate::net::PeerId;
use crate::openapi::Rendered;
use crate::problem::Problem;
use crate::request::{FromPairs, Pairs, QueryString};
use crate::session::post_session::read_on_conflict;
use crate::session::receipt::count;
use crate::state::AppState;

/// So many sessions of one body are being stored at a time.
const UNDER_WAY: usize = 128;

/// How to store the sessions.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what Bulk holds")]
pub(crate) struct BulkParams {
    /// What to do when another session has the same id: `error` (default) refuses the line, `ignore` keeps the stored one, `replace` puts this one in its place, `append` adds its points to the stored ones.
    on_conflict: Option<String>,
    /// `all` (default), or `failed`: only the lines that were refused. For senders that do not read while they send.
    verdicts: Option<String>,
}

/// The parameters as parsed.
pub(crate) struct Bulk {
    on_conflict: OnConflict,
    told: Told,
}

impl FromPairs for BulkParams {
    type Parsed = Bulk;

    const NAMES: &'static [&'static str] = &["on_conflict", "verdicts"];

    fn examples() -> Vec<(&'static str, Value)> {
        vec![("on_conflict", json!("ignore")), ("verdicts", json!("all"))]
    }

    fn from_pairs(pairs: &mut Pairs) -> Bulk {
        let on_conflict = read_on_conflict(pairs).unwrap_or_default();
        let told = pairs
            .word("verdicts", &[("all", Told::All), ("failed", Told::Failed)])
            .unwrap_or_default();
        Bulk { on_conflict, told }
    }
}

/// Stores sessions as they come.
#[api_operation(
    tag = "sessions",
    operation_id = "post_bulk",
    summary = "Store many sessions",
    description = "Takes one session a line (NDJSON; or CSV, a row a point; also packed with gzip or zstd), of any number, and answers a verdict a session while it reads. Each session is stored whole or not at all; a line that is refused does not stop the others. An upload that was interrupted can simply be sent again, which is why every session needs its id. A sender that does not read the answer while it sends should ask for verdicts=failed.",
    error_code = 400,
    error_code = 408,
    error_code = 413,
    error_code = 415,
    error_code = 422
)]
pub(crate) async fn post_bulk(
    params: QueryString<BulkParams>,
    body: LinesBody,
    state: web::Data<AppState>,
) -> Result<Rendered<Verdict>, Problem> {
    let Bulk { on_conflict, told } = params.0;
    let state = state.into_inner();
    let (is_csv, peer) = (body.is_csv, body.peer);
    let mut sessions = sessions(body, state.clone(), peer);
    // Columns that cannot be points are a fault of the whole body, which is told by the status.
    let first = if is_csv {
        sessions.recv().await.transpose()?
    } else {
        None
    };
    let others = stream::unfold(sessions, async |mut sessions| {
        Some((sessions.recv().await?, sessions))
    });
    let sessions = stream::iter(first.map(Ok)).chain(others);
    let done = sessions
        .map(move |taken| store(state.clone(), peer, taken, on_conflict))
        .buffered(UNDER_WAY);
    Ok(Rendered::chunks(
        Format::Ndjson.media_type(),
        Box::pin(verdicts(done, told)),
        None,
    ))
}

/// A session's line and what became of it, or why no more can be read.
type Done = Result<(u64, Result<Ingested, Problem>), Problem>;

async fn store(
    state: Arc<AppState>,
    peer: PeerId,
    taken: Result<Taken, Problem>,
    on_conflict: OnConflict,
) -> Done {
    // The permit is held until the session is stored.
    let Taken {
        piece,
        permit: _held,
    } = taken?;
    let done = match piece.content {
        Ok(content) => {
            let lane = state.cpu.lane(peer, piece.bytes).patient();
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
    Ok((piece.number, done))
}

/// Verdicts, as many at a time as are there, and the end record.
fn verdicts(
    done: impl Stream<Item = Done> + 'static,
    told: Told,
) -> impl Stream<Item = Result<Bytes, crate::openapi::BrokenOff>> {
    let state = Some((Box::pin(done.ready_chunks(UNDER_WAY)), Totals::default()));
    stream::unfold(state, move |state| async move {
        let (mut done, mut totals) = state?;
        let mut out = Vec::new();
        while out.is_empty() {
            let Some(some) = done.next().await else {
                totals.end(None, &mut out);
                return Some((Ok(out.into()), None));
            };
            for one in some {
                match one {
                    Ok((line, done)) => totals.add(line, &done, told, &mut out),
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
