//! Answers a query of points, whole or as a stream.

use std::sync::Arc;

use actix_web::http::header::ETAG;
use actix_web::web;
use serde_json::json;
use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher};
use time_series_domain::ports::{Flow, Order, ScanHead};
use time_series_domain::query::points::{Method, PointSink, PointView, PointsRead, Thinning};
use time_series_domain::query::{MemoryReservation, Refusal};
use tokio::sync::mpsc;

use super::asked::Asked;
use super::cursor;
use super::points_answer::{Points, PointsMetadata};
use super::render::PointRender;
use super::stream::{StreamSink, Told, chunks};
use crate::format::{Format, WriterError, json as to_json};
use crate::openapi::Rendered;
use crate::problem::{Code, Problem};
use crate::reads::{ReadSource, Reads};
use crate::request::{
    CursorKey, NEXT_CURSOR, QueryPermit, RequestContext, USER_VERSION, etag_of, until_disconnect,
};
use crate::state::AppState;

/// Chunks that may wait to be sent.
const WAITING: usize = 4;
/// A page ends after so many bytes, however few points they are.
const PAGE: usize = 32 << 20;

/// Answers what was asked.
pub(super) async fn answer(
    state: web::Data<AppState>,
    caller: RequestContext,
    asked: Asked,
    min_version: Option<u64>,
) -> Result<Rendered<Points>, Problem> {
    let users = [asked.query.user_id];
    state.log_users.note(asked.query.user_id).await;
    let source = state.source_of_reads(&caller, &users, min_version).await?;
    let is_stream = asked.query.limit.is_none() && asked.thin.is_none();
    let enter = state
        .queries
        .acquire(caller.peer(), caller.timeout, is_stream);
    let place = until_disconnect(&caller, enter).await?;
    let cursors =
        until_disconnect(&caller, place.run(async { Ok(state.cursors.key().await?) })).await?;
    let asked = asked.at_cursor(&cursors)?;
    let key = asked.answer_key(&cursors, &state.cache_namespace);
    let known = caller.known_etags();
    if known.is_conditional() {
        let shown = async |reads: &Reads| {
            let head = reads.aggregate.head(&users).await?;
            Ok::<_, Problem>(
                reads
                    .points
                    .head_of(&asked.query, only_numbers(&asked), head)
                    .await?,
            )
        };
        // A fault of the request is reported by the answer below.
        if let Ok(head) = place.run(shown(source.first())).await
            && Some(head.version) >= min_version
        {
            let tag = tag(&key, head);
            if known.has(&tag) {
                return Ok(tagged(Rendered::not_modified(), &tag, head));
            }
        }
    }
    if is_stream {
        return stream_of(state, caller, place, asked, cursors, (source, &key)).await;
    }
    let shared = state.clone().into_inner();
    let (asked, cursors) = (Arc::new(asked), Arc::new(cursors));
    let answer = move |reads: Arc<Reads>| {
        let (state, asked, cursors, key) = (shared.clone(), asked.clone(), cursors.clone(), key);
        async move {
            let (rendered, head) = whole(&state, &reads, &asked, &cursors).await?;
            Ok(tagged(rendered, &tag(&key, head), head))
        }
    };
    let page = async move { place.run(source.answer(answer)).await };
    until_disconnect(&caller, state.queries.runtime().run(page)).await
}

fn tag(key: &Fingerprint, head: ScanHead) -> String {
    let mut hasher = FingerprintHasher::new("points answer");
    hasher.field("key", key).field("head", &head);
    etag_of(&hasher.finish().to_string())
}

fn tagged(rendered: Rendered<Points>, tag: &str, head: ScanHead) -> Rendered<Points> {
    rendered
        .header(ETAG, tag)
        .header(USER_VERSION, &head.version.to_string())
}

fn broken(e: &WriterError) -> Problem {
    tracing::error!(error = %e, "points could not be written");
    Problem::internal()
}

/// Why series without numbers are left out, if they are.
fn only_numbers(asked: &Asked) -> Option<&'static str> {
    asked.thin.map(|_| "max_points")
}

/// A page, or what is left of all points once they are thinned out.
async fn whole(
    state: &AppState,
    reads: &Reads,
    asked: &Asked,
    cursors: &CursorKey,
) -> Result<(Rendered<Points>, ScanHead), Problem> {
    let mut render = PointRender::new(asked).map_err(|e| broken(&e))?;
    let read = if let Some((most, method)) = asked.thin {
        let mut thinning = Thinning::new(
            most,
            method,
            state.max_values,
            state.query_memory.reservation(),
        );
        let read = reads
            .points
            .read(&asked.query, only_numbers(asked), &mut thinning)
            .await?;
        for point in thinning.into_points() {
            render.thinned(&point).map_err(|e| broken(&e))?;
        }
        read
    } else {
        let mut sink = PageSink {
            render,
            memory: state.query_memory.reservation(),
            failed: None,
        };
        let read = reads.points.read(&asked.query, None, &mut sink).await?;
        if let Some(e) = sink.failed {
            return Err(broken(&e));
        }
        render = sink.render;
        read
    };
    let media_type = asked.format.media_type();
    let next = next_cursor(cursors, asked, &read);
    let with_cursor = |page: Rendered<Points>| match &next {
        Some(next) => page.header(NEXT_CURSOR, next),
        None => page,
    };
    if asked.format != Format::Json {
        let extra = if asked.thin.is_some() {
            String::new()
        } else {
            cursor_member(next.as_deref())
        };
        let page = Rendered::whole(media_type, render.end(&extra).map_err(|e| broken(&e))?);
        return Ok((with_cursor(page), read.head));
    }
    let (count, results) = render.results();
    let mut body = b"{\"metadata\":".to_vec();
    to_json(&mut body, &metadata(asked, cursors, &read, count));
    body.extend_from_slice(b",\"results\":[");
    body.extend(results);
    body.extend_from_slice(b"]}");
    Ok((with_cursor(Rendered::whole(media_type, body)), read.head))
}

fn metadata(asked: &Asked, cursors: &CursorKey, read: &PointsRead, count: usize) -> PointsMetadata {
    let query = &asked.query;
    PointsMetadata {
        count,
        user_id: query.user_id.0,
        session_id: query.session_id.map(|s| s.0),
        series: asked.series.clone(),
        start_time: asked.start.map(|t| t.to_string()),
        end_time: asked.end.map(|t| t.to_string()),
        r#where: query.filter.as_ref().map(ToString::to_string),
        order: if query.order == Order::Ascending {
            "asc"
        } else {
            "desc"
        },
        limit: query.limit,
        next_cursor: next_cursor(cursors, asked, read),
        max_points: asked.thin.map(|(most, _)| most),
        method: asked.thin.map(|(_, method)| {
            if method == Method::Lttb {
                "lttb"
            } else {
                "minmax"
            }
        }),
        skipped: read.skipped.clone(),
        version: read.head.version,
    }
}

fn next_cursor(cursors: &CursorKey, asked: &Asked, read: &PointsRead) -> Option<String> {
    read.next
        .map(|position| cursor::seal(cursors, &asked.query, &position))
}

/// What an end record says of the next page.
fn cursor_member(next: Option<&str>) -> String {
    format!(",\"next_cursor\":{}", json!(next))
}

/// Gathers a page.
struct PageSink {
    render: PointRender,
    memory: MemoryReservation,
    failed: Option<WriterError>,
}

#[async_trait::async_trait]
impl PointSink for PageSink {
    async fn head(&mut self, _: ScanHead) {}

    fn point(&mut self, point: &PointView<'_>) -> Result<(), Refusal> {
        if let Err(e) = self.render.view(point) {
            self.failed.get_or_insert(e);
        }
        self.memory.grow_to(self.render.gathered())
    }

    fn is_full(&self) -> bool {
        self.failed.is_some() || self.render.gathered() >= PAGE
    }

    async fn breathe(&mut self) -> Flow {
        if self.is_full() {
            Flow::Enough
        } else {
            Flow::More
        }
    }
}

/// Points that are sent while they are read: the answer begins once the first bytes are there.
async fn stream_of(
    state: web::Data<AppState>,
    caller: RequestContext,
    place: QueryPermit,
    asked: Asked,
    cursors: CursorKey,
    (source, key): (ReadSource, &Fingerprint),
) -> Result<Rendered<Points>, Problem> {
    let media_type = asked.format.media_type();
    let render = PointRender::new(&asked).map_err(|e| broken(&e))?;
    let (teller, mut told) = mpsc::channel(WAITING);
    let sink = StreamSink {
        render,
        teller,
        waiting: place.waiting(),
        is_broken: false,
    };
    let reading = read(source, place, asked, cursors, sink);
    let reading = state
        .queries
        .runtime()
        .spawn(reading)
        .ok_or_else(Problem::internal)?;
    match until_disconnect(&caller, async { Ok(told.recv().await) }).await? {
        Some(Told::Head(head)) => {
            let rendered = Rendered::chunks(media_type, chunks(told, reading), None);
            Ok(tagged(rendered, &tag(key, head), head))
        }
        Some(Told::Failed(problem)) => Err(problem),
        _ => Err(Problem::internal()),
    }
}

async fn read(
    source: ReadSource,
    place: QueryPermit,
    asked: Asked,
    cursors: CursorKey,
    mut sink: StreamSink,
) {
    let teller = sink.teller.clone();
    let all = async {
        let read = source.stream(&asked.query, &mut sink).await?;
        if sink.is_broken {
            return Err(Problem::new(
                Code::Unavailable,
                "The client does not read the points.",
            ));
        }
        let next = next_cursor(&cursors, &asked, &read);
        let last = sink
            .render
            .end(&cursor_member(next.as_deref()))
            .map_err(|e| broken(&e))?;
        // A receiver that is gone needs to hear nothing.
        let _ = teller.send(Told::Chunk(last)).await;
        let _ = teller.send(Told::End).await;
        Ok(())
    };
    if let Err(problem) = place.run(all).await {
        // What the service is to blame for was logged where it failed.
        tracing::debug!(problem = %problem, "points were broken off");
        // Where there is no room to say so, the end that does not come says it.
        let _ = teller.try_send(Told::Failed(problem));
    }
}
