//! Lines of a bulk body, decompressed as the body arrives. Reading never blocks on input.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Instant;

use bytes::Bytes;

use crate::problem::{Code, Problem};
use crate::request::{BYTE_ORDER_MARK, Encoding, body_error, too_large};

/// Bytes decompressed per step.
const BUFFER_BYTES: usize = 64 << 10;
/// Maximum number of empty lines of a body.
const MAX_EMPTY_LINES: u64 = 100_000;

/// Result of an attempt to read on.
pub(super) enum Step<T> {
    /// The next item.
    Next(T),
    /// More input is needed.
    NeedsInput,
    /// The time slice has ended; more may be available.
    Paused,
    /// The end of the body.
    End,
}

/// A non-empty line.
pub(super) struct Line {
    /// Number of the line, from 1, counting empty lines.
    pub(super) number: u64,
    pub(super) text: Result<Vec<u8>, Problem>,
}

/// Non-blocking reader of the chunks of a body.
pub(super) struct ChunkReader {
    chunks: Receiver<Option<Bytes>>,
    chunk: Bytes,
    is_over: bool,
}

impl ChunkReader {
    /// Creates a reader. A chunk of `None` ends the body.
    pub(super) const fn new(chunks: Receiver<Option<Bytes>>) -> Self {
        Self {
            chunks,
            chunk: Bytes::new(),
            is_over: false,
        }
    }
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.fill_buf()?;
        let read = bytes.len().min(buffer.len());
        buffer[..read].copy_from_slice(&bytes[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for ChunkReader {
    /// Fails with [`ErrorKind::WouldBlock`] if the next chunk has not arrived.
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        while self.chunk.is_empty() && !self.is_over {
            match self.chunks.try_recv() {
                Ok(Some(chunk)) => self.chunk = chunk,
                Ok(None) => self.is_over = true,
                Err(TryRecvError::Empty) => return Err(ErrorKind::WouldBlock.into()),
                Err(TryRecvError::Disconnected) => return Err(ErrorKind::UnexpectedEof.into()),
            }
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, bytes: usize) {
        let _ = self.chunk.split_to(bytes);
    }
}

/// Reader of the lines of a body.
pub(super) struct LineReader {
    input: BufReader<Box<dyn Read + Send>>,
    /// Maximum bytes of a line.
    pub(super) max_bytes: usize,
    number: u64,
    empty_lines: u64,
    /// The part of the next line that has been read.
    line: Vec<u8>,
    /// The rest of the current line is skipped.
    is_skipping: bool,
    /// End of the time slice.
    pub(super) until: Instant,
}

impl LineReader {
    /// Creates a reader.
    ///
    /// # Errors
    /// The decompression cannot be initialised.
    pub(super) fn new(
        chunks: ChunkReader,
        encoding: Encoding,
        max_bytes: usize,
    ) -> Result<Self, Problem> {
        let decompressed = encoding.decompress(chunks).map_err(|e| body_error(&e))?;
        Ok(Self {
            input: BufReader::with_capacity(BUFFER_BYTES, decompressed),
            max_bytes,
            number: 0,
            empty_lines: 0,
            line: Vec::new(),
            is_skipping: false,
            until: Instant::now(),
        })
    }

    /// Reads the next non-empty line. After an error, the body cannot be read further.
    pub(super) fn next(&mut self) -> Step<Result<Line, Problem>> {
        loop {
            if Instant::now() >= self.until {
                return Step::Paused;
            }
            let was_skipping = self.is_skipping;
            let read = if was_skipping {
                self.skip()
            } else {
                self.read()
            };
            let is_end_of_body = match read {
                Ok(bytes) => bytes == 0,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Step::NeedsInput,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Step::Next(Err(body_error(&e))),
            };
            if was_skipping {
                if is_end_of_body {
                    return Step::End;
                }
                continue;
            }
            if is_end_of_body && self.line.is_empty() {
                return Step::End;
            }
            let text = self.take_line();
            if text.len() > self.max_bytes {
                return Step::Next(Ok(Line {
                    number: self.number,
                    text: Err(too_large(self.max_bytes)),
                }));
            }
            if !text.iter().all(u8::is_ascii_whitespace) {
                return Step::Next(Ok(Line {
                    number: self.number,
                    text: Ok(text),
                }));
            }
            self.empty_lines += 1;
            if self.empty_lines > MAX_EMPTY_LINES {
                let detail = format!(
                    "The body has more than {MAX_EMPTY_LINES} empty lines. Remove the empty lines."
                );
                return Step::Next(Err(Problem::new(Code::InvalidBody, detail)));
            }
        }
    }

    /// Reads to the end of the line, or until the line is longer than the maximum.
    fn read(&mut self) -> std::io::Result<usize> {
        let room = (self.max_bytes as u64 + 2).saturating_sub(self.line.len() as u64);
        // Bytes that were read before `WouldBlock` stay in the line.
        self.input
            .by_ref()
            .take(room)
            .read_until(b'\n', &mut self.line)
    }

    /// Returns the line without its end, and starts the next line.
    fn take_line(&mut self) -> Vec<u8> {
        self.number += 1;
        let mut text = std::mem::take(&mut self.line);
        let has_end = text.last() == Some(&b'\n');
        while text
            .last()
            .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
        {
            text.pop();
        }
        self.is_skipping = !has_end && text.len() > self.max_bytes;
        if self.number == 1 && text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        text
    }

    /// Skips bytes up to the end of the line.
    fn skip(&mut self) -> std::io::Result<usize> {
        let buffer = self.input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let skipped = end.map_or(buffer.len(), |end| end + 1);
        self.input.consume(skipped);
        self.is_skipping = end.is_none();
        Ok(skipped)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    /// Returns the lines of a body that arrives in chunks. A bar separates what is read after each
    /// chunk.
    fn lines(chunks: &[&str], max_bytes: usize) -> String {
        let (sender, receiver) = channel();
        let mut reader = LineReader::new(ChunkReader::new(receiver), Encoding::Identity, max_bytes)
            .expect("no encoding");
        reader.until = Instant::now() + Duration::from_mins(1);
        let mut shown = String::new();
        for chunk in chunks
            .iter()
            .map(|chunk| Some(Bytes::copy_from_slice(chunk.as_bytes())))
            .chain([None])
        {
            sender.send(chunk).expect("the reader exists");
            loop {
                match reader.next() {
                    Step::Next(Ok(Line { number, text })) => {
                        let text = text.map_or("too long".into(), |text| {
                            String::from_utf8_lossy(&text).into_owned()
                        });
                        shown.extend([number.to_string(), format!(":{text} ")]);
                    }
                    Step::NeedsInput => break shown += "| ",
                    Step::End => break shown += "end",
                    Step::Paused | Step::Next(Err(_)) => panic!("unexpected pause or error"),
                }
            }
        }
        shown
    }

    #[test]
    fn chunks_can_split_lines_anywhere() {
        assert_eq!(
            lines(&["ab\ncd", "ef\r\n\n", "gh"], 10),
            "1:ab | 2:cdef | | 4:gh end"
        );
    }

    #[test]
    fn a_long_line_is_skipped_and_the_next_is_read() {
        assert_eq!(
            lines(&["abc", "def", "ghi\njk\n"], 5),
            "| | 1:too long 2:jk | end"
        );
        assert_eq!(
            lines(&["abcde\nabcdef\n", "a"], 5),
            "1:abcde 2:too long | | 3:a end"
        );
    }
}
