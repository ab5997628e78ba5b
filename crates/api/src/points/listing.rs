//! Answers a list of points, whole or as a stream.

use std::ops::ControlFlow;
use std::sync::Arc;

use actix_web::http::header::ETAG;
use actix_web::web;
use serde_json::json;
use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher};
use time_series_domain::ports::{DataVersion, Order};
use time_series_domain::query::points::{Downsampler, Method, PointSink, PointView, PointsRead};
use time_series_domain::query::{LimitExceeded, MemoryReservation};
use tokio::sync::mpsc;

use super::cursor;
use super::points_answer::{Points, PointsMetadata};
use super::render::PointRender;
use super::request::PointListRequest;
use super::stream::{StreamEvent, StreamSink, chunks};
use crate::format::{Format, WriterError, json as to_json};
use crate::openapi::Rendered;
use crate::problem::{Code, Problem};
use crate::reads::{ReadSource, Reads};
use crate::request::{
    CursorKey, NEXT_CURSOR, QueryPermit, RequestContext, USER_VERSION, etag_of, until_disconnect,
};
use crate::state::AppState;

/// Maximum chunks that wait to be sent.
const MAX_WAITING_CHUNKS: usize = 4;
/// Maximum bytes of a page. A page of large points ends early.
const MAX_PAGE_BYTES: usize = 32 << 20;

/// Answers a request for points.
pub(super) async fn answer(
    state: web::Data<AppState>,
    caller: RequestContext,
    request: PointListRequest,
    min_version: Option<u64>,
) -> Result<Rendered<Points>, Problem> {
    let users = [request.spec.user_id];
    state.log_users.note(request.spec.user_id).await;
    let source = state.source_of_reads(&caller, &users, min_version).await?;
    let is_stream = request.spec.limit.is_none() && request.downsample.is_none();
    let enter = state
        .queries
        .acquire(caller.peer(), caller.timeout, is_stream);
    let place = until_disconnect(&caller, enter).await?;
    let cursors =
        until_disconnect(&caller, place.run(async { Ok(state.cursors.key().await?) })).await?;
    let request = request.at_cursor(&cursors)?;
    let key = request.answer_key(&cursors, &state.cache_namespace);
    let known = caller.known_etags();
    if known.is_conditional() {
        let shown = async |reads: &Reads| {
            let data_version = reads.aggregate.data_version(&users).await?;
            Ok::<_, Problem>(
                reads
                    .points
                    .data_version_of(&request.spec, only_numbers(&request), data_version)
                    .await?,
            )
        };
        // An invalid request is reported by the answer below.
        if let Ok(data_version) = place.run(shown(source.first())).await
            && Some(data_version.version) >= min_version
        {
            let tag = tag(&key, data_version);
            if known.has(&tag) {
                return Ok(tagged(Rendered::not_modified(), &tag, data_version));
            }
        }
    }
    if is_stream {
        return stream_of(state, caller, place, request, cursors, (source, &key)).await;
    }
    let shared = state.clone().into_inner();
    let (request, cursors) = (Arc::new(request), Arc::new(cursors));
    let answer = move |reads: Arc<Reads>| {
        let (state, request, cursors, key) =
            (shared.clone(), request.clone(), cursors.clone(), key);
        async move {
            let (rendered, data_version) = whole(&state, &reads, &request, &cursors).await?;
            Ok(tagged(rendered, &tag(&key, data_version), data_version))
        }
    };
    let page = async move { place.run(source.answer(answer)).await };
    until_disconnect(&caller, state.queries.runtime().run(page)).await
}

fn tag(key: &Fingerprint, data_version: DataVersion) -> String {
    let mut hasher = FingerprintHasher::new("points answer");
    hasher.field("key", key).field("head", &data_version);
    etag_of(&hasher.finish().to_string())
}

fn tagged(rendered: Rendered<Points>, tag: &str, data_version: DataVersion) -> Rendered<Points> {
    rendered
        .header(ETAG, tag)
        .header(USER_VERSION, &data_version.version.to_string())
}

fn write_failed(e: &WriterError) -> Problem {
    tracing::error!(error = %e, "points could not be written");
    Problem::internal()
}

/// Returns the parameter that needs numbers, if series without numbers are skipped.
fn only_numbers(request: &PointListRequest) -> Option<&'static str> {
    request.downsample.map(|_| "max_points")
}

/// Renders a page, or the points that downsampling chose.
async fn whole(
    state: &AppState,
    reads: &Reads,
    request: &PointListRequest,
    cursors: &CursorKey,
) -> Result<(Rendered<Points>, DataVersion), Problem> {
    let mut render = PointRender::new(request).map_err(|e| write_failed(&e))?;
    let read = if let Some((max_points, method)) = request.downsample {
        let mut downsampler = Downsampler::new(
            max_points,
            method,
            state.max_values,
            state.query_memory.reservation(),
        );
        let read = reads
            .points
            .read(&request.spec, only_numbers(request), &mut downsampler)
            .await?;
        for point in downsampler.into_points() {
            render
                .push_downsampled(&point)
                .map_err(|e| write_failed(&e))?;
        }
        read
    } else {
        let mut sink = PageSink {
            render,
            memory: state.query_memory.reservation(),
            failed: None,
        };
        let read = reads.points.read(&request.spec, None, &mut sink).await?;
        if let Some(e) = sink.failed {
            return Err(write_failed(&e));
        }
        render = sink.render;
        read
    };
    let media_type = request.format.media_type();
    let next = next_cursor(cursors, request, &read);
    let with_cursor = |page: Rendered<Points>| match &next {
        Some(next) => page.header(NEXT_CURSOR, next),
        None => page,
    };
    if request.format != Format::Json {
        let extra = if request.downsample.is_some() {
            String::new()
        } else {
            cursor_member(next.as_deref())
        };
        let page = Rendered::whole(
            media_type,
            render.end(&extra).map_err(|e| write_failed(&e))?,
        );
        return Ok((with_cursor(page), read.data_version));
    }
    let (count, results) = render.results();
    let mut body = b"{\"metadata\":".to_vec();
    to_json(&mut body, &metadata(request, cursors, &read, count));
    body.extend_from_slice(b",\"results\":[");
    body.extend(results);
    body.extend_from_slice(b"]}");
    Ok((
        with_cursor(Rendered::whole(media_type, body)),
        read.data_version,
    ))
}

fn metadata(
    request: &PointListRequest,
    cursors: &CursorKey,
    read: &PointsRead,
    count: usize,
) -> PointsMetadata {
    let spec = &request.spec;
    PointsMetadata {
        count,
        user_id: spec.user_id.0,
        session_id: spec.session_id.map(|s| s.0),
        series: request.series.clone(),
        start_time: request.start.map(|t| t.to_string()),
        end_time: request.end.map(|t| t.to_string()),
        r#where: spec.filter.as_ref().map(ToString::to_string),
        order: if spec.order == Order::Ascending {
            "asc"
        } else {
            "desc"
        },
        limit: spec.limit,
        next_cursor: next_cursor(cursors, request, read),
        max_points: request.downsample.map(|(max_points, _)| max_points),
        method: request.downsample.map(|(_, method)| {
            if method == Method::Lttb {
                "lttb"
            } else {
                "minmax"
            }
        }),
        skipped: read.skipped.clone(),
        version: read.data_version.version,
    }
}

fn next_cursor(
    cursors: &CursorKey,
    request: &PointListRequest,
    read: &PointsRead,
) -> Option<String> {
    read.next
        .map(|position| cursor::seal(cursors, &request.spec, &position))
}

/// Returns the member of an end record that contains the cursor of the next page.
fn cursor_member(next: Option<&str>) -> String {
    format!(",\"next_cursor\":{}", json!(next))
}

/// Collects a page.
struct PageSink {
    render: PointRender,
    memory: MemoryReservation,
    failed: Option<WriterError>,
}

#[async_trait::async_trait]
impl PointSink for PageSink {
    async fn begin(&mut self, _: DataVersion) {}

    fn point(&mut self, point: &PointView<'_>) -> Result<(), LimitExceeded> {
        if let Err(e) = self.render.push(point) {
            self.failed.get_or_insert(e);
        }
        self.memory.grow_to(self.render.buffered_bytes())
    }

    fn is_full(&self) -> bool {
        self.failed.is_some() || self.render.buffered_bytes() >= MAX_PAGE_BYTES
    }

    async fn yield_now(&mut self) -> ControlFlow<()> {
        if self.is_full() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Streams points while they are read. The response begins once the data version is known.
async fn stream_of(
    state: web::Data<AppState>,
    caller: RequestContext,
    place: QueryPermit,
    request: PointListRequest,
    cursors: CursorKey,
    (source, key): (ReadSource, &Fingerprint),
) -> Result<Rendered<Points>, Problem> {
    let media_type = request.format.media_type();
    let render = PointRender::new(&request).map_err(|e| write_failed(&e))?;
    let (sender, mut receiver) = mpsc::channel(MAX_WAITING_CHUNKS);
    let sink = StreamSink {
        render,
        sender,
        waiting: place.waiting(),
        has_stopped: false,
    };
    let reading = read(source, place, request, cursors, sink);
    let reading = state
        .queries
        .runtime()
        .spawn(reading)
        .ok_or_else(Problem::internal)?;
    match until_disconnect(&caller, async { Ok(receiver.recv().await) }).await? {
        Some(StreamEvent::Version(data_version)) => {
            let rendered = Rendered::chunks(media_type, chunks(receiver, reading), None);
            Ok(tagged(rendered, &tag(key, data_version), data_version))
        }
        Some(StreamEvent::Failed(problem)) => Err(problem),
        _ => Err(Problem::internal()),
    }
}

async fn read(
    source: ReadSource,
    place: QueryPermit,
    request: PointListRequest,
    cursors: CursorKey,
    mut sink: StreamSink,
) {
    let sender = sink.sender.clone();
    let all = async {
        let read = source.stream(&request.spec, &mut sink).await?;
        if sink.has_stopped {
            return Err(Problem::new(
                Code::Unavailable,
                "The client does not read the points.",
            ));
        }
        let next = next_cursor(&cursors, &request, &read);
        let last = sink
            .render
            .end(&cursor_member(next.as_deref()))
            .map_err(|e| write_failed(&e))?;
        // The receiver may be gone.
        let _ = sender.send(StreamEvent::Chunk(last)).await;
        let _ = sender.send(StreamEvent::End).await;
        Ok(())
    };
    if let Err(problem) = place.run(all).await {
        // Faults of the service were logged where they occurred.
        tracing::debug!(problem = %problem, "a stream of points was truncated");
        // If the channel is full, the missing end marker shows the failure.
        let _ = sender.try_send(StreamEvent::Failed(problem));
    }
}
