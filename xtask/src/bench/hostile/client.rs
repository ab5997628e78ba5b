//! A client that sends any bytes from any loopback address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// No response takes longer, or the service hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// The service, and the address that a client has.
#[derive(Clone, Copy)]
pub(super) struct Client {
    address: SocketAddr,
    from: u8,
}

impl Client {
    pub(super) const fn new(address: SocketAddr, from: u8) -> Self {
        Self { address, from }
    }

    pub(super) async fn connect(&self) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(
            IpAddr::V4(Ipv4Addr::new(127, 0, 0, self.from)),
            0,
        ))?;
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Sends a request on a connection of its own and reads the response to its end.
    ///
    /// # Errors
    /// The service hangs.
    pub(super) async fn send(&self, request: &Request) -> anyhow::Result<u16> {
        timeout(PATIENCE, async {
            // A connection that is refused or cut off counts as no response.
            let Ok(mut stream) = self.connect().await else {
                return 0;
            };
            let _ = stream.write_all(&request.head).await;
            let _ = stream.write_all(&request.body).await;
            status_of(&mut stream).await
        })
        .await
        .context("the service does not respond")
    }
}

/// The status of a response, which is read to its end and dropped; 0 where there is none.
async fn status_of(stream: &mut TcpStream) -> u16 {
    let (mut start, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    while let Ok(read) = stream.read(&mut buffer).await
        && read > 0
    {
        start.extend_from_slice(&buffer[..read.min(12_usize.saturating_sub(start.len()))]);
    }
    start
        .get(9..12)
        .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
        .unwrap_or(0)
}

/// A request as it is sent.
#[derive(Clone)]
pub(super) struct Request {
    head: Vec<u8>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn get(path: &str) -> Self {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        Self {
            head: head.into_bytes(),
            body: Vec::new(),
        }
    }

    pub(super) fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::post_with(path, "", body)
    }

    /// A body that is packed with gzip.
    pub(super) fn post_gzip(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::post_with(path, "content-encoding: gzip\r\n", body)
    }

    fn post_with(path: &str, headers: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self {
            head: post_head(path, headers, body.len()),
            body,
        }
    }
}

/// The head of a POST whose body has that length.
pub(super) fn post_head(path: &str, headers: &str, length: usize) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    );
    head.into_bytes()
}
