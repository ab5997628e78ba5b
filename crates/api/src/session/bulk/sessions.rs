//! Splits a bulk body into sessions while it arrives.

use std::sync::Arc;
use std::sync::mpsc as chunks;
use std::time::{Duration, Instant};

use actix_web::rt;
use bytes::Bytes;
use time_series_domain::ingest::{BodyError, Row, RowFormat, SessionDraft, SessionSource};
use time_series_domain::ports::run_in;
use time_series_domain::session::IngestError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::body::BulkBody;
use super::lines::{ChunkReader, Line, LineReader, Step};
use super::rows::RowReader;
use crate::net::PeerId;
use crate::problem::Problem;
use crate::request::{LinePermit, PacedBody};
use crate::state::AppState;

/// Maximum number of sessions that wait to be stored.
const MAX_WAITING: usize = 64;
/// Maximum number of sessions per job.
const MAX_SESSIONS_PER_JOB: usize = 64;
/// Maximum bytes of sessions per job.
const MAX_BYTES_PER_JOB: usize = 1 << 20;
/// Maximum duration of a job.
const MAX_JOB_DURATION: Duration = Duration::from_millis(20);

/// The unparsed content of a session.
pub(super) enum SessionInput {
    Json(Vec<u8>),
    Rows(Arc<RowFormat>, Vec<Row>),
}

/// One session of a bulk body.
pub(super) struct BulkItem {
    /// First line of the session, from 1, counting empty lines.
    pub(super) line: u64,
    /// The content, or the problem of a session that cannot be read. The next one may be valid.
    pub(super) content: Result<SessionInput, Problem>,
    /// Bytes of memory that the session occupies.
    pub(super) bytes: usize,
}

/// A session with the permit for its bytes in memory.
pub(super) struct AdmittedItem {
    pub(super) item: BulkItem,
    pub(super) permit: Option<LinePermit>,
}

impl SessionSource for SessionInput {
    fn read(&self) -> Result<SessionDraft<'_>, BodyError> {
        match self {
            Self::Json(text) => SessionDraft::from_json(text),
            Self::Rows(format, rows) => Ok(SessionDraft::from_rows(format, rows)),
        }
    }
}

/// Reads the sessions of a body. After an error, the body cannot be read further.
pub(super) fn sessions(
    body: BulkBody,
    state: Arc<AppState>,
    peer: PeerId,
) -> Receiver<Result<AdmittedItem, Problem>> {
    let (sender, sessions) = channel(MAX_WAITING);
    rt::spawn(async move {
        if let Err(problem) = read(body, &state, peer, &sender).await {
            // Sending fails only if the response has been dropped.
            let _ = sender.send(Err(problem)).await;
        }
    });
    sessions
}

async fn read(
    body: BulkBody,
    state: &AppState,
    peer: PeerId,
    sender: &Sender<Result<AdmittedItem, Problem>>,
) -> Result<(), Problem> {
    let (chunks, receiver) = chunks::channel();
    let input = ChunkReader::new(receiver);
    let lines = LineReader::new(input, body.encoding, state.max_body_bytes)?;
    let mut reader = if body.is_csv {
        Reader::Rows(Box::new(RowReader::new(lines)))
    } else {
        Reader::Lines(lines)
    };
    let mut payload = PacedBody::new(body.payload, state.pace);
    // The decompressed length of a compressed chunk is unknown.
    let bytes = |chunk: &Bytes| {
        if body.encoding.is_compressed() {
            usize::MAX
        } else {
            chunk.len()
        }
    };
    let mut work = 0;
    loop {
        let lane = state.cpu.lane(peer, work).patient();
        let job = run_in(&lane, move || {
            let batch = reader.read_batch();
            (reader, batch)
        });
        let (returned, batch) = job
            .await
            .map_err(|busy| Problem::from(IngestError::from(busy)))?;
        reader = returned;
        for item in batch.items {
            let item = item?;
            let admitted = AdmittedItem {
                permit: state.bulk_budget.acquire(item.bytes).await,
                item,
            };
            if sender.send(Ok(admitted)).await.is_err() {
                return Ok(());
            }
        }
        match batch.state {
            ReadState::Ended => return Ok(()),
            ReadState::HasMore => {}
            ReadState::NeedsInput => {
                let chunk = payload.next().await.transpose()?;
                work = chunk.as_ref().map_or(0, bytes);
                // Sending cannot fail: the reader holds the receiver.
                let _ = chunks.send(chunk);
            }
        }
    }
}

/// Reader of sessions.
enum Reader {
    /// NDJSON.
    Lines(LineReader),
    /// CSV.
    Rows(Box<RowReader>),
}

/// Result of one job.
struct ReadBatch {
    items: Vec<Result<BulkItem, Problem>>,
    state: ReadState,
}

/// State of a reader after a job.
enum ReadState {
    HasMore,
    NeedsInput,
    Ended,
}

impl Reader {
    /// Reads sessions until the input, the time or the limits of a job are used up.
    fn read_batch(&mut self) -> ReadBatch {
        let until = Instant::now() + MAX_JOB_DURATION;
        match self {
            Self::Lines(lines) => lines.until = until,
            Self::Rows(rows) => rows.lines.until = until,
        }
        let mut items = Vec::new();
        let mut bytes = 0;
        let state = loop {
            match self.next() {
                Step::Next(item) => {
                    let is_last = item.is_err();
                    bytes += item.as_ref().map_or(0, |item| item.bytes);
                    items.push(item);
                    if is_last {
                        break ReadState::Ended;
                    }
                    if items.len() >= MAX_SESSIONS_PER_JOB || bytes >= MAX_BYTES_PER_JOB {
                        break ReadState::HasMore;
                    }
                }
                Step::Paused => break ReadState::HasMore,
                Step::NeedsInput => break ReadState::NeedsInput,
                Step::End => break ReadState::Ended,
            }
        };
        ReadBatch { items, state }
    }

    fn next(&mut self) -> Step<Result<BulkItem, Problem>> {
        match self {
            Self::Rows(rows) => rows.next(),
            Self::Lines(lines) => match lines.next() {
                Step::Next(line) => Step::Next(line.map(|Line { number, text }| {
                    let bytes = text.as_ref().map_or(0, Vec::len);
                    BulkItem {
                        line: number,
                        content: text.map(SessionInput::Json),
                        bytes,
                    }
                })),
                Step::NeedsInput => Step::NeedsInput,
                Step::Paused => Step::Paused,
                Step::End => Step::End,
            },
        }
    }
}
