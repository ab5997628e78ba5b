//! HTTP as cheap as a load generator needs it: requests rendered before, one connection each, little looking at answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// An answer's head is no longer than this.
const HEAD: usize = 16 << 10;

/// Requests that are ready to be sent.
pub(crate) struct Requests {
    address: String,
    rendered: Vec<Vec<u8>>,
    /// How each is answered.
    status: u16,
}

/// What came of sending them.
pub(crate) struct Sent {
    pub(crate) took: Duration,
    /// How long each request took, from when it was due.
    pub(crate) latencies: Vec<Duration>,
}

impl Requests {
    /// POSTs of these bodies to a path of the service at `url`.
    pub(crate) fn posts(
        url: &str,
        path: &str,
        bodies: impl Iterator<Item = String>,
    ) -> anyhow::Result<Self> {
        let address = url
            .strip_prefix("http://")
            .context("only http:// is spoken here")?
            .to_owned();
        let rendered = bodies.map(|body| post(&address, path, "", &body)).collect();
        Ok(Self {
            address,
            rendered,
            status: 201,
        })
    }

    /// The same, answered otherwise than by 201.
    pub(crate) const fn answered(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) const fn len(&self) -> usize {
        self.rendered.len()
    }

    /// Sends all of them, over so many connections, each as soon as its connection is free; with `rate`, so many a second
    /// and each when it is due, whether the one before was answered in time or not: who waits in a queue has waited.
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
                        rate.map_or_else(Instant::now, |rate| started + after(number, rate));
                    if due > Instant::now() {
                        tokio::time::sleep_until(due.into()).await;
                        due = Instant::now(); // a timer that rings late is ours, not the service's
                    }
                    let status = connection.exchange(request).await?;
                    ensure!(
                        status == requests.status,
                        "request {number} was answered {status}: {}",
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

/// A POST as it is sent.
///
/// `headers` are further ones, each with its line's end.
pub(crate) fn post(address: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

#[expect(clippy::cast_precision_loss, reason = "nobody sends 2^53 requests")]
fn after(number: usize, rate: f64) -> Duration {
    Duration::from_secs_f64(number as f64 / rate)
}

/// A connection that is kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            answer: Vec::with_capacity(4 << 10),
        })
    }

    /// Sends a request and reads its answer to the end; gives the status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.send(request).await?;
        loop {
            ensure!(
                self.stream.read_buf(&mut self.answer).await? > 0,
                "the service closed the connection"
            );
            if let Some((status, length)) = complete(&self.answer)? {
                if self.answer.len() >= length {
                    return Ok(status);
                }
            } else if self.answer.len() > HEAD {
                bail!("the head of an answer does not end");
            }
        }
    }

    /// Sends a request, and leaves its answer unread.
    pub(crate) async fn send(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.answer.clear();
        Ok(self.stream.write_all(request).await?)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.answer).into_owned()
    }
}

/// The status of an answer and how long it is with its head, once the head is there.
fn complete(answer: &[u8]) -> anyhow::Result<Option<(u16, usize)>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&answer[..end])?;
    let status = head
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .context("an answer without a status")?;
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
    use super::complete;

    #[test]
    fn an_answer_is_as_long_as_it_says() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nx: y\r\n\r\n{}";
        assert_eq!(complete(answer).expect("HTTP"), Some((201, answer.len())));
        assert_eq!(complete(&answer[..30]).expect("HTTP so far"), None);
    }
}
