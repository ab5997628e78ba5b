//! A client's connection: minimum transfer rate, and detection of disconnects.

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

use super::accept::ConnectionPermit;
use super::bare_error::{self, RequestSummary};
use super::{Pace, PaceLimit};

/// Interval of the checks for a disconnect while a request runs.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// A connection that fails when the client does not read its response.
pub(crate) struct Connection {
    io: TcpStream,
    pace: Pace,
    /// Start and end of the current wait for the client.
    stalled: Option<(Instant, Pin<Box<Sleep>>)>,
    /// A summary of the bytes received since the last response.
    request: RequestSummary,
    /// Remaining bytes of a problem document that replaces a response.
    replacement: Vec<u8>,
    _permit: ConnectionPermit,
}

impl Connection {
    pub(super) fn new(io: TcpStream, limit: PaceLimit, permit: ConnectionPermit) -> Self {
        Self {
            io,
            pace: Pace::new(limit),
            stalled: None,
            request: RequestSummary::default(),
            replacement: Vec::new(),
            _permit: permit,
        }
    }

    pub(crate) fn peer_socket(&self) -> Option<SocketAddr> {
        self.io.peer_addr().ok()
    }

    /// Writes, or fails once the client has stopped reading for too long.
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
                    "the client does not read the response",
                )))
            }
        }
    }

    /// Sends the remaining bytes of a replaced response.
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
        self.request.record(&buffer.filled()[before..]);
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

/// A second handle of a client's connection, which detects a disconnect.
pub(crate) struct ClientConnection(Socket);

impl ClientConnection {
    /// Stores a handle of a new connection in its extensions.
    pub(crate) fn attach(connection: &Connection, data: &mut Extensions) {
        if let Ok(handle) = connection.io.as_fd().try_clone_to_owned() {
            data.insert(Self(handle.into()));
        }
    }

    /// Returns once the client has closed the connection.
    pub(crate) async fn closed(&self) {
        while !self.is_closed() {
            sleep(CHECK_INTERVAL).await;
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
