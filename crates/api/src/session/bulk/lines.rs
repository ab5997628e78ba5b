//! The lines of a bulk body, unpacked as it arrives and without ever waiting for it.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Instant;

use bytes::Bytes;

use crate::problem::{Code, Problem};
use crate::request::{BYTE_ORDER_MARK, Encoding, too_large, unreadable};

/// What is unpacked at a time.
const BUFFER: usize = 64 << 10;
/// Maximum empty lines of a body: each is work, and says nothing.
const MOST_EMPTY_LINES: u64 = 100_000;

/// The result of asking for more of a body.
pub(super) enum Step<T> {
    /// The next one.
    Next(T),
    /// Nothing more can be made of what has arrived.
    NeedsInput,
    /// The time is over; there may be more.
    Paused,
    /// The end of the body.
    End,
}

/// A line that is not empty.
pub(super) struct Text {
    /// Counted from 1, empty lines included.
    pub(super) number: u64,
    pub(super) text: Result<Vec<u8>, Problem>,
}

/// Chunks of a body as they arrive.
pub(super) struct Inbox {
    chunks: Receiver<Option<Bytes>>,
    chunk: Bytes,
    is_over: bool,
}

impl Inbox {
    /// `None` ends the body.
    pub(super) const fn new(chunks: Receiver<Option<Bytes>>) -> Self {
        Self {
            chunks,
            chunk: Bytes::new(),
            is_over: false,
        }
    }
}

impl Read for Inbox {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.fill_buf()?;
        let read = bytes.len().min(buffer.len());
        buffer[..read].copy_from_slice(&bytes[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Inbox {
    /// [`ErrorKind::WouldBlock`] where the next chunk has not arrived.
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

/// The lines of a body.
pub(super) struct LineReader {
    unpacked: BufReader<Box<dyn Read + Send>>,
    pub(super) longest: usize,
    number: u64,
    empty_lines: u64,
    /// The part of the next line that has been read.
    line: Vec<u8>,
    /// The rest of the line is passed over.
    is_skipping: bool,
    /// When to pause.
    pub(super) until: Instant,
}

impl LineReader {
    /// # Errors
    /// The body is not packed as it says.
    pub(super) fn new(inbox: Inbox, encoding: Encoding, longest: usize) -> Result<Self, Problem> {
        let unpacked = encoding.unpack(inbox).map_err(|e| unreadable(&e))?;
        Ok(Self {
            unpacked: BufReader::with_capacity(BUFFER, unpacked),
            longest,
            number: 0,
            empty_lines: 0,
            line: Vec::new(),
            is_skipping: false,
            until: Instant::now(),
        })
    }

    /// The next line that is not empty. An error is the last: the body cannot be read on.
    pub(super) fn next(&mut self) -> Step<Result<Text, Problem>> {
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
                Err(e) => return Step::Next(Err(unreadable(&e))),
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
            if text.len() > self.longest {
                return Step::Next(Ok(Text {
                    number: self.number,
                    text: Err(too_large(self.longest)),
                }));
            }
            if !text.iter().all(u8::is_ascii_whitespace) {
                return Step::Next(Ok(Text {
                    number: self.number,
                    text: Ok(text),
                }));
            }
            self.empty_lines += 1;
            if self.empty_lines > MOST_EMPTY_LINES {
                let detail = format!(
                    "The body has more than {MOST_EMPTY_LINES} empty lines; leave them out."
                );
                return Step::Next(Err(Problem::new(Code::InvalidBody, detail)));
            }
        }
    }

    /// Reads on to the end of the line, or to one byte more than it may have.
    fn read(&mut self) -> std::io::Result<usize> {
        let room = (self.longest as u64 + 2).saturating_sub(self.line.len() as u64);
        // What was read before it has to wait stays in the line.
        self.unpacked
            .by_ref()
            .take(room)
            .read_until(b'\n', &mut self.line)
    }

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
        self.is_skipping = !has_end && text.len() > self.longest;
        if self.number == 1 && text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        text
    }

    /// Passes over bytes up to the end of the line.
    fn skip(&mut self) -> std::io::Result<usize> {
        let buffer = self.unpacked.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let skipped = end.map_or(buffer.len(), |end| end + 1);
        self.unpacked.consume(skipped);
        self.is_skipping = end.is_none();
        Ok(skipped)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    /// The lines of a body that arrives in these chunks; what is read after each is told by a bar.
    fn lines(chunks: &[&str], longest: usize) -> String {
        let (sender, receiver) = channel();
        let mut reader =
            LineReader::new(Inbox::new(receiver), Encoding::Identity, longest).expect("plain");
        reader.until = Instant::now() + Duration::from_mins(1);
        let mut shown = String::new();
        for chunk in chunks
            .iter()
            .map(|chunk| Some(Bytes::copy_from_slice(chunk.as_bytes())))
            .chain([None])
        {
            sender.send(chunk).expect("it is read");
            loop {
                match reader.next() {
                    Step::Next(Ok(Text { number, text })) => {
                        let text = text.map_or("too long".into(), |text| {
                            String::from_utf8_lossy(&text).into_owned()
                        });
                        shown.extend([number.to_string(), format!(":{text} ")]);
                    }
                    Step::NeedsInput => break shown += "| ",
                    Step::End => break shown += "end",
                    Step::Paused | Step::Next(Err(_)) => panic!("neither slow nor broken"),
                }
            }
        }
        shown
    }

    #[test]
    fn lines_may_be_cut_anywhere() {
        assert_eq!(
            lines(&["ab\ncd", "ef\r\n\n", "gh"], 10),
            "1:ab | 2:cdef | | 4:gh end"
        );
    }

    #[test]
    fn a_long_line_is_passed_over_and_the_next_is_read() {
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
