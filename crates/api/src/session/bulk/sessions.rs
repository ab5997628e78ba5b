//! The sessions of a bulk body, each as soon as it has arrived.

use std::sync::Arc;
use std::sync::mpsc as chunks;
use std::time::{Duration, Instant};

use actix_web::rt;
use bytes::Bytes;
use time_series_domain::ingest::{BodyError, Row, RowFormat, SessionDraft, SessionSource};
use time_series_domain::ports::run_in;
use time_series_domain::session::IngestError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::body::LinesBody;
use super::lines::{Inbox, LineReader, Step, Text};
use super::rows::RowReader;
use crate::net::PeerId;
use crate::problem::Problem;
use crate::request::{LinePermit, PacedBody};
use crate::state::AppState;

/// Sessions that may wait to be stored.
const WAITING: usize = 64;
/// Sessions, and bytes of them, that are cut off in one piece of work.
const SESSIONS_AT_ONCE: usize = 64;
const BYTES_AT_ONCE: usize = 1 << 20;
/// The longest piece of work.
const LONGEST_WORK: Duration = Duration::from_millis(20);

/// What a session is read from.
pub(super) enum Content {
    Json(Vec<u8>),
    Rows(Arc<RowFormat>, Vec<Row>),
}

/// A session's part of the body.
pub(super) struct Piece {
    /// The line that it begins in, counted from 1, empty lines included.
    pub(super) number: u64,
    /// Or why it cannot be read; the next one may be fine.
    pub(super) content: Result<Content, Problem>,
    /// The memory that it takes.
    pub(super) bytes: usize,
}

/// A session's part of the body, and its share of the bytes in memory.
pub(super) struct Taken {
    pub(super) piece: Piece,
    pub(super) permit: Option<LinePermit>,
}

impl SessionSource for Content {
    fn read(&self) -> Result<SessionDraft<'_>, BodyError> {
        match self {
            Self::Json(text) => SessionDraft::from_json(text),
            Self::Rows(format, rows) => Ok(SessionDraft::from_rows(format, rows)),
        }
    }
}

/// Reads the sessions of a body. An error is the last that comes: the body cannot be read on.
pub(super) fn sessions(
    body: LinesBody,
    state: Arc<AppState>,
    peer: PeerId,
) -> Receiver<Result<Taken, Problem>> {
    let (sender, sessions) = channel(WAITING);
    rt::spawn(async move {
        if let Err(problem) = read(body, &state, peer, &sender).await {
            // A receiver that is gone has no use for it.
            let _ = sender.send(Err(problem)).await;
        }
    });
    sessions
}

async fn read(
    body: LinesBody,
    state: &AppState,
    peer: PeerId,
    sender: &Sender<Result<Taken, Problem>>,
) -> Result<(), Problem> {
    let (chunks, inbox) = chunks::channel();
    let lines = LineReader::new(Inbox::new(inbox), body.encoding, state.max_body_bytes)?;
    let mut reader = if body.is_csv {
        Reader::Rows(Box::new(RowReader::new(lines)))
    } else {
        Reader::Lines(lines)
    };
    let mut payload = PacedBody::new(body.payload, state.pace);
    // Where bodies are not packed, a chunk costs as much as it is long.
    let bytes = |chunk: &Bytes| {
        if body.encoding.is_packed() {
            usize::MAX
        } else {
            chunk.len()
        }
    };
    let mut work = 0;
    loop {
        let lane = state.cpu.lane(peer, work).patient();
        let advanced = run_in(&lane, move || {
            let advanced = reader.advance();
            (reader, advanced)
        });
        let (back, advanced) = advanced
            .await
            .map_err(|busy| Problem::from(IngestError::from(busy)))?;
        reader = back;
        for piece in advanced.pieces {
            let piece = piece?;
            let taken = Taken {
                permit: state.bulk_budget.take(piece.bytes).await,
                piece,
            };
            if sender.send(Ok(taken)).await.is_err() {
                return Ok(());
            }
        }
        match advanced.then {
            Then::Ended => return Ok(()),
            Then::Goes => {}
            Then::NeedsInput => {
                let chunk = payload.next().await.transpose()?;
                work = chunk.as_ref().map_or(0, bytes);
                // The reader holds the other end.
                let _ = chunks.send(chunk);
            }
        }
    }
}

/// Finds the sessions.
enum Reader {
    /// One per line.
    Lines(LineReader),
    /// Rows of CSV.
    Rows(Box<RowReader>),
}

/// What one piece of work brought.
struct Advanced {
    pieces: Vec<Result<Piece, Problem>>,
    then: Then,
}

enum Then {
    Goes,
    NeedsInput,
    Ended,
}

impl Reader {
    /// Reads some sessions, until the input or the time is used up.
    fn advance(&mut self) -> Advanced {
        let until = Instant::now() + LONGEST_WORK;
        match self {
            Self::Lines(lines) => lines.until = until,
            Self::Rows(rows) => rows.lines.until = until,
        }
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        let then = loop {
            match self.next() {
                Step::Next(piece) => {
                    let is_last = piece.is_err();
                    bytes += piece.as_ref().map_or(0, |piece| piece.bytes);
                    pieces.push(piece);
                    if is_last {
                        break Then::Ended;
                    }
                    if pieces.len() >= SESSIONS_AT_ONCE || bytes >= BYTES_AT_ONCE {
                        break Then::Goes;
                    }
                }
                Step::Paused => break Then::Goes,
                Step::NeedsInput => break Then::NeedsInput,
                Step::End => break Then::Ended,
            }
        };
        Advanced { pieces, then }
    }

    fn next(&mut self) -> Step<Result<Piece, Problem>> {
        match self {
            Self::Rows(rows) => rows.next(),
            Self::Lines(lines) => match lines.next() {
                Step::Next(line) => Step::Next(line.map(|Text { number, text }| {
                    let bytes = text.as_ref().map_or(0, Vec::len);
                    Piece {
                        number,
                        content: text.map(Content::Json),
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
