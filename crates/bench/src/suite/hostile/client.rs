//! An HTTP client that sends any bytes from any loopback address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// Maximum time of a response. A slower service hangs.
const RESPONSE_TIMEOUT: Duration = Duration::from_mins(1);

/// A client with its own address.
#[derive(Clone, Copy)]
pub(super) struct Client {
    service: SocketAddr,
    /// The last byte of the address of the client.
    from: u8,
}

impl Client {
    pub(super) const fn new(service: SocketAddr, from: u8) -> Self {
        Self { service, from }
    }

    pub(super) async fn connect(&self) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(
            IpAddr::V4(Ipv4Addr::new(127, 0, 0, self.from)),
            0,
        ))?;
        let stream = socket.connect(self.service).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Sends a request on a new connection, reads the whole response and returns its status.
    ///
    /// The status is 0 if there is no response. A service that hangs is an error.
    pub(super) async fn send(&self, request: &Request) -> anyhow::Result<u16> {
        timeout(RESPONSE_TIMEOUT, async {
            // A refused or cut connection counts as no response.
            let Ok(mut stream) = self.connect().await else {
                return 0;
            };
            let _ = stream.write_all(&request.head).await;
            let _ = stream.write_all(&request.body).await;
            read_status(&mut stream).await
        })
        .await
        .context("the service does not respond")
    }
}

/// Reads the whole response and returns its status; 0 if there is none.
async fn read_status(stream: &mut TcpStream) -> u16 {
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

/// A rendered request.
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

    /// Renders a POST whose body is compressed with gzip.
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

/// Renders the head of a POST with a body of `length` bytes.
pub(super) fn post_head(path: &str, headers: &str, length: usize) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         {headers}content-length: {length}\r\n\r\n"
    );
    head.into_bytes()
}
