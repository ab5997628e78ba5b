//! A minimal HTTP client for load: pre-rendered requests over kept-alive connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Maximum length of a response head.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// Requests that are rendered before the measurement.
pub(crate) struct Requests {
    address: String,
    rendered: Vec<Vec<u8>>,
    /// The expected status of every response.
    expected_status: u16,
}

/// The measurement of a load.
pub(crate) struct Sent {
    pub(crate) took: Duration,
    /// The latency of each request, measured from the time it was due.
    pub(crate) latencies: Vec<Duration>,
}

impl Requests {
    /// Renders POSTs of these bodies to a path of the service at `url`.
    pub(crate) fn posts(
        url: &str,
        path: &str,
        bodies: impl Iterator<Item = String>,
    ) -> anyhow::Result<Self> {
        let address = url
            .strip_prefix("http://")
            .context("the URL must begin with http://")?
            .to_owned();
        let rendered = bodies
            .map(|body| post_request(&address, path, "", &body))
            .collect();
        Ok(Self {
            address,
            rendered,
            expected_status: 201,
        })
    }

    /// Expects another status than 201.
    pub(crate) const fn expecting(mut self, status: u16) -> Self {
        self.expected_status = status;
        self
    }

    pub(crate) const fn len(&self) -> usize {
        self.rendered.len()
    }

    /// Sends all requests over `connections` connections.
    ///
    /// Without `rate` the load is closed: a connection sends when its last response has arrived.
    /// With `rate` requests per second the load is open: each request is due at its time, and its
    /// latency includes the wait for a free connection.
    pub(crate) async fn send(
        self: &Arc<Self>,
        connections: usize,
        rate: Option<f64>,
    ) -> anyhow::Result<Sent> {
        let next = Arc::new(AtomicUsize::new(0));
        let started = Instant::now();
        let mut senders = JoinSet::new();
        for _ in 0..connections {
            let (requests, next) = (self.clone(), next.clone());
            senders.spawn(async move {
                let mut connection = Connection::open(&requests.address).await?;
                let mut latencies = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(request) = requests.rendered.get(number) else {
                        return Ok::<_, anyhow::Error>(latencies);
                    };
                    let mut due =
                        rate.map_or_else(Instant::now, |rate| started + offset(number, rate));
                    if due > Instant::now() {
                        tokio::time::sleep_until(due.into()).await;
                        due = Instant::now(); // a late timer is not the service's delay
                    }
                    let status = connection.exchange(request).await?;
                    ensure!(
                        status == requests.expected_status,
                        "request {number} received {status}: {}",
                        connection.text()
                    );
                    latencies.push(due.elapsed());
                }
            });
        }
        let mut latencies = Vec::with_capacity(self.len());
        while let Some(sender) = senders.join_next().await {
            latencies.extend(sender??);
        }
        Ok(Sent {
            took: started.elapsed(),
            latencies,
        })
    }
}

/// Renders a POST. Each of the additional `headers` ends with a line end.
pub(crate) fn post_request(address: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

#[expect(clippy::cast_precision_loss, reason = "nobody sends 2^53 requests")]
/// Returns the due time of request `number`, relative to the start.
fn offset(number: usize, rate: f64) -> Duration {
    Duration::from_secs_f64(number as f64 / rate)
}

/// A kept-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    response: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            response: Vec::with_capacity(4 << 10),
        })
    }

    /// Sends a request, reads the whole response and returns its status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.send(request).await?;
        loop {
            ensure!(
                self.stream.read_buf(&mut self.response).await? > 0,
                "the service closed the connection"
            );
            if let Some((status, length)) = status_and_length(&self.response)? {
                if self.response.len() >= length {
                    return Ok(status);
                }
            } else if self.response.len() > MAX_HEAD_BYTES {
                bail!("the response head is longer than {MAX_HEAD_BYTES} bytes");
            }
        }
    }

    /// Sends a request and leaves the response unread.
    pub(crate) async fn send(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.response.clear();
        Ok(self.stream.write_all(request).await?)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.response).into_owned()
    }
}

/// Returns the status and the total length of a response, once its head is complete.
fn status_and_length(response: &[u8]) -> anyhow::Result<Option<(u16, usize)>> {
    let Some(end) = response.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&response[..end])?;
    let status = head
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .context("a response has no status")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            value.trim().parse().ok()
        } else {
            None
        }
    });
    Ok(Some((status, end + 4 + length.unwrap_or(0_usize))))
}

#[cfg(test)]
mod tests {
    use super::status_and_length;

    #[test]
    fn the_length_includes_head_and_body() {
        let response = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nx: y\r\n\r\n{}";
        assert_eq!(
            status_and_length(response).expect("a valid head"),
            Some((201, response.len()))
        );
        assert_eq!(
            status_and_length(&response[..30]).expect("an incomplete head"),
            None
        );
    }
}
