//! Points that are sent while they are read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use time_series_domain::ports::{Flow, ScanHead};
use time_series_domain::query::Refusal;
use time_series_domain::query::points::{PointSink, PointView};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::render::PointRender;
use crate::openapi::{Chunks, Truncated};
use crate::problem::Problem;

/// How long a reader may stand still while other queries wait for a place.
const STANDSTILL: Duration = Duration::from_secs(1);
/// Bytes that are sent together.
const CHUNK: usize = 64 << 10;

/// What the reader of points tells the sender of bytes.
pub(super) enum Told {
    Head(ScanHead),
    Chunk(Vec<u8>),
    Failed(Problem),
    End,
}

/// Renders points and hands the bytes on, no faster than they are taken.
pub(super) struct StreamSink {
    pub(super) render: PointRender,
    pub(super) teller: Sender<Told>,
    /// The number of queries that wait for a place.
    pub(super) waiting: Arc<AtomicUsize>,
    /// Rendering failed, or the caller does not read; nothing more is read.
    pub(super) is_broken: bool,
}

#[async_trait]
impl PointSink for StreamSink {
    async fn head(&mut self, head: ScanHead) {
        // A receiver that is gone is found out when it is told of points.
        let _ = self.teller.send(Told::Head(head)).await;
    }

    fn point(&mut self, point: &PointView<'_>) -> Result<(), Refusal> {
        self.is_broken |= self.render.view(point).is_err();
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.render.out.len() >= CHUNK
    }

    async fn breathe(&mut self) -> Flow {
        if self.is_broken {
            return Flow::Enough;
        }
        if self.render.out.len() < CHUNK {
            return Flow::More;
        }
        let chunk = std::mem::take(&mut self.render.out);
        if let Ok(()) = send(&self.teller, &self.waiting, chunk).await {
            Flow::More
        } else {
            // Without an end the caller sees that points are missing.
            self.is_broken = true;
            Flow::Enough
        }
    }
}

/// Sends a chunk once there is room for it. A reader that stands still gives up its place when others wait for one.
async fn send(teller: &Sender<Told>, waiting: &AtomicUsize, chunk: Vec<u8>) -> Result<(), Stalled> {
    loop {
        match timeout(STANDSTILL, teller.reserve()).await {
            Ok(Ok(room)) => {
                room.send(Told::Chunk(chunk));
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

/// The caller does not read, or is gone.
struct Stalled;

/// Ends the reading when the caller is gone.
struct Reading(JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The body that a reading tells of.
pub(super) fn chunks(told: Receiver<Told>, reading: JoinHandle<()>) -> Chunks {
    let state = Some((told, Reading(reading)));
    Box::pin(stream::unfold(state, async |state| {
        let (mut told, reading) = state?;
        match told.recv().await {
            Some(Told::Chunk(chunk)) => Some((Ok(Bytes::from(chunk)), Some((told, reading)))),
            Some(Told::End) => None,
            Some(Told::Head(_)) => Some((Ok(Bytes::new()), Some((told, reading)))),
            // Nothing ends the body: the caller sees that it is cut off.
            Some(Told::Failed(_)) | None => Some((Err(Truncated), None)),
        }
    }))
}
