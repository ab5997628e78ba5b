//! The sessions of a body, unpacked line by line as it comes, and no further ahead than a few of them.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::{rt, web};
use bytes::Bytes;
use futures_util::StreamExt;
use time_series_domain::ingest::{BodyError, RawSession, Row, RowFormat};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::body::LinesBody;
use super::rows::RowReader;
use crate::problem::{Code, Problem};
use crate::request::{Intake, Share, too_large, unreadable};

/// Pieces of the body, and lines, that may wait.
const PIECES: usize = 8;
const LINES: usize = 64;
/// What is unpacked at a time.
const BUFFER: usize = 64 << 10;
/// Beyond so much, a body that unpacks to more than so many times its length is a bomb.
const BOMB_BYTES: u64 = 256 << 20;
const BOMB_RATIO: u64 = 1_000;

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
    pub(super) bytes: usize,
}

/// A session's part of the body, and its share of the bytes in memory.
pub(super) struct Taken {
    pub(super) piece: Piece,
    pub(super) share: Option<Share>,
}

/// A line that is not empty.
pub(super) struct Text {
    pub(super) number: u64,
    pub(super) text: Result<Vec<u8>, Problem>,
}

impl Content {
    pub(super) fn read(&self) -> Result<RawSession, BodyError> {
        match self {
            Self::Json(text) => RawSession::from_json(text),
            Self::Rows(format, rows) => Ok(RawSession::from_rows(format, rows)),
        }
    }
}

/// Reads the sessions of a body, none longer than `longest`. An error is the last that comes: the body cannot be read on.
pub(super) fn sessions(body: LinesBody, longest: usize, intake: Intake) -> Receiver<Result<Taken, Problem>> {
    let (pieces, packed) = channel(PIECES);
    let (teller, sessions) = channel(LINES);
    rt::spawn(pump(body.payload, pieces));
    let runtime = Handle::current();
    // Unpacking takes a thread of its own, so that it holds up nobody.
    rt::task::spawn_blocking(move || {
        let read = Arc::<AtomicU64>::default();
        let packed = Pieces { packed, piece: Bytes::new(), read: read.clone() };
        let packed = BufReader::with_capacity(BUFFER, packed);
        let unpacked = match body.encoding.unpack(packed) {
            Ok(unpacked) => BufReader::with_capacity(BUFFER, unpacked),
            Err(e) => {
                let _ = teller.blocking_send(Err(unreadable(&e)));
                return;
            }
        };
        let lines = LineReader { unpacked, longest, number: 0, bytes: 0, read };
        let mut reader = match Reader::new(lines, body.is_csv) {
            Ok(reader) => reader,
            Err(problem) => {
                let _ = teller.blocking_send(Err(problem));
                return;
            }
        };
        while let Some(piece) = reader.next() {
            let is_last = piece.is_err();
            let taken = piece.map(|piece| Taken { share: runtime.block_on(intake.take(piece.bytes)), piece });
            if teller.blocking_send(taken).is_err() || is_last {
                return;
            }
        }
    });
    sessions
}

/// Finds the sessions.
enum Reader<R> {
    /// One a line.
    Lines(LineReader<R>),
    /// Rows of CSV.
    Rows(RowReader<R>),
}

impl<R: BufRead> Reader<R> {
    fn new(lines: LineReader<R>, is_csv: bool) -> Result<Self, Problem> {
        Ok(if is_csv { Self::Rows(RowReader::new(lines)?) } else { Self::Lines(lines) })
    }

    fn next(&mut self) -> Option<Result<Piece, Problem>> {
        match self {
            Self::Rows(rows) => rows.next(),
            Self::Lines(lines) => Some(lines.next()?.map(|Text { number, text }| {
                let bytes = text.as_ref().map_or(0, Vec::len);
                Piece { number, content: text.map(Content::Json), bytes }
            })),
        }
    }
}

/// Hands on what comes from the network; what fails there fails here.
async fn pump(mut payload: web::Payload, pieces: Sender<std::io::Result<Bytes>>) {
    while let Some(piece) = payload.next().await {
        if pieces.send(piece.map_err(std::io::Error::other)).await.is_err() {
            return;
        }
    }
}

/// The pieces as a reader.
struct Pieces {
    packed: Receiver<std::io::Result<Bytes>>,
    piece: Bytes,
    read: Arc<AtomicU64>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.packed.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let taken = self.piece.split_to(self.piece.len().min(buffer.len()));
        buffer[..taken.len()].copy_from_slice(&taken);
        self.read.fetch_add(taken.len() as u64, Ordering::Relaxed);
        Ok(taken.len())
    }
}

/// The lines of a body.
pub(super) struct LineReader<R> {
    unpacked: R,
    pub(super) longest: usize,
    number: u64,
    /// How many bytes were unpacked, and of how many.
    bytes: u64,
    read: Arc<AtomicU64>,
}

impl<R: BufRead> LineReader<R> {
    /// The next line that is not empty.
    pub(super) fn next(&mut self) -> Option<Result<Text, Problem>> {
        loop {
            let mut text = Vec::new();
            let one_more = self.longest as u64 + 2;
            match self.unpacked.by_ref().take(one_more).read_until(b'\n', &mut text) {
                Ok(0) => return None,
                Ok(bytes) => self.bytes += bytes as u64,
                Err(e) => return Some(Err(unreadable(&e))),
            }
            if self.is_bomb() {
                return Some(Err(bomb()));
            }
            self.number += 1;
            let has_end = text.last() == Some(&b'\n');
            while text.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                text.pop();
            }
            if text.len() > self.longest {
                if !has_end && let Err(problem) = self.skip_line() {
                    return Some(Err(problem));
                }
                return Some(Ok(Text { number: self.number, text: Err(too_large(self.longest)) }));
            }
            if !text.iter().all(u8::is_ascii_whitespace) {
                return Some(Ok(Text { number: self.number, text: Ok(text) }));
            }
        }
    }

    fn is_bomb(&self) -> bool {
        self.bytes > BOMB_BYTES && self.bytes / BOMB_RATIO > self.read.load(Ordering::Relaxed)
    }

    fn skip_line(&mut self) -> Result<(), Problem> {
        loop {
            if self.is_bomb() {
                return Err(bomb());
            }
            let buffer = self.unpacked.fill_buf().map_err(|e| unreadable(&e))?;
            if buffer.is_empty() {
                return Ok(());
            }
            if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                self.bytes += end as u64 + 1;
                self.unpacked.consume(end + 1);
                return Ok(());
            }
            let all = buffer.len();
            self.bytes += all as u64;
            self.unpacked.consume(all);
        }
    }
}

fn bomb() -> Problem {
    let detail = format!("The body unpacks to more than {BOMB_RATIO} times its length; send it packed less, or plain.");
    Problem::new(Code::BodyTooLarge, detail)
}
