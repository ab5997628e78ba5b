//! The lines of a body, unpacked as it comes, and no further ahead than a few of them.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::{rt, web};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::body::LinesBody;
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

/// A line that is not empty.
pub(super) struct Line {
    /// Counted from 1, empty lines included.
    pub(super) number: u64,
    /// Or why it cannot be read; the next one may be fine.
    pub(super) text: Result<Vec<u8>, Problem>,
    /// Its share of the bytes in memory.
    pub(super) share: Option<Share>,
}

/// Reads the lines of a body, none longer than `longest`. An error is the last that comes: the body cannot be read on.
pub(super) fn lines(body: LinesBody, longest: usize, intake: Intake) -> Receiver<Result<Line, Problem>> {
    let (pieces, packed) = channel(PIECES);
    let (teller, lines) = channel(LINES);
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
        let mut reader = LineReader { unpacked, longest, number: 0, bytes: 0, read, intake, runtime };
        while let Some(line) = reader.next() {
            let is_last = line.is_err();
            if teller.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    lines
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

struct LineReader<R> {
    unpacked: R,
    longest: usize,
    number: u64,
    /// How many bytes were unpacked, and of how many.
    bytes: u64,
    read: Arc<AtomicU64>,
    intake: Intake,
    runtime: Handle,
}

impl<R: BufRead> LineReader<R> {
    /// The next line that is not empty.
    fn next(&mut self) -> Option<Result<Line, Problem>> {
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
                return Some(Ok(Line { number: self.number, text: Err(too_large(self.longest)), share: None }));
            }
            if !text.iter().all(u8::is_ascii_whitespace) {
                let share = self.runtime.block_on(self.intake.take(text.len()));
                return Some(Ok(Line { number: self.number, text: Ok(text), share }));
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
