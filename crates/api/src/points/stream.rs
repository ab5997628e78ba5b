//! Streams of points: rendered and sent while they are read.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use time_series_domain::ports::DataVersion;
use time_series_domain::query::LimitExceeded;
use time_series_domain::query::points::{PointSink, PointView};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::render::PointRender;
use crate::openapi::{Chunks, Truncated};
use crate::problem::Problem;

/// Maximum time that a client may stall while other queries wait for a permit.
const MAX_STALL: Duration = Duration::from_secs(1);
/// Bytes per chunk.
const CHUNK_BYTES: usize = 64 << 10;

/// An event of the reading task, for the task that sends the response.
pub(super) enum StreamEvent {
    /// The data version, before any chunk.
    Version(DataVersion),
    /// Rendered points.
    Chunk(Vec<u8>),
    /// Reading failed.
    Failed(Problem),
    /// The points are complete.
    End,
}

/// Renders points and sends chunks no faster than the client reads them.
pub(super) struct StreamSink {
    pub(super) render: PointRender,
    pub(super) sender: Sender<StreamEvent>,
    /// The number of queries that wait for a permit.
    pub(super) waiting: Arc<AtomicUsize>,
    /// True if rendering failed or the client stopped reading, so that reading ends.
    pub(super) has_stopped: bool,
}

#[async_trait]
impl PointSink for StreamSink {
    async fn begin(&mut self, data_version: DataVersion) {
        // A closed channel is noticed when the first chunk is sent.
        let _ = self.sender.send(StreamEvent::Version(data_version)).await;
    }

    fn point(&mut self, point: &PointView<'_>) -> Result<(), LimitExceeded> {
        self.has_stopped |= self.render.push(point).is_err();
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.render.out.len() >= CHUNK_BYTES
    }

    async fn yield_now(&mut self) -> ControlFlow<()> {
        if self.has_stopped {
            return ControlFlow::Break(());
        }
        if self.render.out.len() < CHUNK_BYTES {
            return ControlFlow::Continue(());
        }
        let chunk = std::mem::take(&mut self.render.out);
        if let Ok(()) = send(&self.sender, &self.waiting, chunk).await {
            ControlFlow::Continue(())
        } else {
            // The missing end marker shows the client that points are missing.
            self.has_stopped = true;
            ControlFlow::Break(())
        }
    }
}

/// Sends a chunk once there is room for it. A stalled client loses its permit if other queries wait
/// for one.
async fn send(
    sender: &Sender<StreamEvent>,
    waiting: &AtomicUsize,
    chunk: Vec<u8>,
) -> Result<(), Stalled> {
    loop {
        match timeout(MAX_STALL, sender.reserve()).await {
            Ok(Ok(room)) => {
                room.send(StreamEvent::Chunk(chunk));
                return Ok(());
            }
            Ok(Err(_)) => return Err(Stalled),
            Err(_) if waiting.load(Ordering::Relaxed) > 0 => {
                metrics::counter!("streams_displaced_total").increment(1);
                return Err(Stalled);
            }
            Err(_) => {}
        }
    }
}

/// The client stopped reading or disconnected.
struct Stalled;

/// Aborts the reading task when the response is dropped.
struct Reading(JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Returns the body of the response from the events of the reading task.
pub(super) fn chunks(receiver: Receiver<StreamEvent>, reading: JoinHandle<()>) -> Chunks {
    let state = Some((receiver, Reading(reading)));
    Box::pin(stream::unfold(state, async |state| {
        let (mut receiver, reading) = state?;
        match receiver.recv().await {
            Some(StreamEvent::Chunk(chunk)) => {
                Some((Ok(Bytes::from(chunk)), Some((receiver, reading))))
            }
            Some(StreamEvent::End) => None,
            Some(StreamEvent::Version(_)) => Some((Ok(Bytes::new()), Some((receiver, reading)))),
            // Ends the body with an error, so that the client sees that it is truncated.
            Some(StreamEvent::Failed(_)) | None => Some((Err(Truncated), None)),
        }
    }))
}
