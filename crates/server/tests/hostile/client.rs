//! A client that sends arbitrary bytes from any loopback address.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::service::{Service, peer};

/// Maximum time for a response: a bound on liveness, not a measurement.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A response, read to the end of the connection.
pub(crate) struct Reply {
    /// 0 if nothing was received.
    pub(crate) status: u16,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    fn of(bytes: Vec<u8>) -> Self {
        let status = bytes
            .get(9..12)
            .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
            .unwrap_or(0);
        Self { status, bytes }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(4_000)]).into_owned()
    }

    /// Returns whether the response is a problem document with this code and a request id.
    pub(crate) fn is_problem(&self, code: &str) -> bool {
        let text = self.text();
        text.contains("application/problem+json")
            && text.contains("x-request-id: ")
            && text.contains(&format!("\"code\":\"{code}\""))
    }
}

/// Connects from one of the loopback addresses.
pub(crate) async fn connect(address: SocketAddr, from: IpAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind(SocketAddr::new(from, 0))
        .expect("a loopback address");
    socket.connect(address).await.expect("a connection")
}

/// Reads until the connection is closed.
pub(crate) async fn read_all(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // A reset after the response keeps the bytes before it.
    let read = tokio::time::timeout(TIMEOUT, stream.read_to_end(&mut bytes)).await;
    assert!(
        read.is_ok(),
        "the response does not end: {}",
        String::from_utf8_lossy(&bytes[..bytes.len().min(500)])
    );
    Reply::of(bytes)
}

/// Sends bytes unchanged.
pub(crate) async fn send_raw(service: &Service, from: u8, bytes: &[u8]) -> Reply {
    let mut stream = connect(service.address, peer(from)).await;
    // The service may have responded and closed before everything was sent.
    let _ = stream.write_all(bytes).await;
    read_all(&mut stream).await
}

pub(crate) fn head(method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> String {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect::<Vec<_>>()
        .concat();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    )
}

pub(crate) async fn request(
    address: SocketAddr,
    from: IpAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut stream = connect(address, from).await;
    let head = head(method, path, headers, body.len());
    let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
    read_all(&mut stream).await
}

pub(crate) async fn get(service: &Service, from: u8, path: &str) -> Reply {
    request(service.address, peer(from), "GET", path, &[], b"").await
}

pub(crate) async fn post(service: &Service, from: u8, path: &str, body: &[u8]) -> Reply {
    request(service.address, peer(from), "POST", path, &[], body).await
}
