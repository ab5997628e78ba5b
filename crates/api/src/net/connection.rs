//! A client's connection: its pace, and whether the client is still there.

use std::io;
use std::net::{SocketAddr, TcpStream as Socket};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{Instant, Sleep, sleep};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::accept::Slot;
use super::bare_error::{self, Excerpt};
use super::{Pace, PaceLimit};

/// The interval at which a client is looked for while its request runs.
const LOOK: Duration = Duration::from_millis(50);

/// A connection that ends when the client does not read what it asked for.
pub(crate) struct Connection {
    io: TcpStream,
    pace: Pace,
    /// Since when the client has been waited for, and until when it may be.
    stalled: Option<(Instant, Pin<Box<Sleep>>)>,
    /// A summary of the bytes received since the last response.
    request: Excerpt,
    /// The rest of an answer that is sent in the place of another.
    replacement: Vec<u8>,
    _slot: Slot,
}

impl Connection {
    pub(super) fn new(io: TcpStream, limit: PaceLimit, slot: Slot) -> Self {
        Self {
            io,
            pace: Pace::new(limit),
            stalled: None,
            request: Excerpt::default(),
            replacement: Vec::new(),
            _slot: slot,
        }
    }

    pub(crate) fn peer_socket(&self) -> Option<SocketAddr> {
        self.io.peer_addr().ok()
    }

    /// Writes, and fails once the client has not read for too long.
    fn poll_write_in_time(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.io).poll_write(cx, bytes) {
            Poll::Ready(written) => {
                if let Some((since, _)) = self.stalled.take() {
                    self.pace.waited(since.elapsed());
                }
                if let Ok(written) = &written {
                    self.pace.moved(*written);
                }
                Poll::Ready(written)
            }
            Poll::Pending => {
                let left = self.pace.left();
                let (_, end) = self
                    .stalled
                    .get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
                ready!(end.as_mut().poll(cx));
                metrics::counter!("connections_too_slow_total").increment(1);
                Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the client does not read the answer",
                )))
            }
        }
    }

    /// Sends what is left of an answer that took the place of another.
    fn poll_replacement(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.replacement.is_empty() {
            let bytes = std::mem::take(&mut self.replacement);
            let polled = self.poll_write_in_time(cx, &bytes);
            self.replacement = bytes;
            let written = ready!(polled)?;
            self.replacement.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        self.request.note(&buffer.filled()[before..]);
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_replacement(cx))?;
        if let Some(problem) = bare_error::replacement(bytes, &self.request) {
            self.replacement = problem;
            ready!(self.poll_replacement(cx))?;
            return Poll::Ready(Ok(bytes.len()));
        }
        self.request.clear();
        self.poll_write_in_time(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// A second handle of a client's connection.
pub(crate) struct ClientConnection(Socket);

impl ClientConnection {
    /// Keeps a handle of each new connection beside it.
    pub(crate) fn remember(connection: &Connection, data: &mut Extensions) {
        if let Ok(handle) = connection.io.as_fd().try_clone_to_owned() {
            data.insert(Self(handle.into()));
        }
    }

    /// Returns once the client has closed the connection.
    pub(crate) async fn closed(&self) {
        while !self.is_closed() {
            sleep(LOOK).await;
        }
    }

    /// Returns whether the client closed the connection. The socket is non-blocking.
    fn is_closed(&self) -> bool {
        match self.0.peek(&mut [0]) {
            Ok(bytes) => bytes == 0,
            Err(e) => {
                e.kind() != io::ErrorKind::WouldBlock && e.kind() != io::ErrorKind::Interrupted
            }
        }
    }
}
