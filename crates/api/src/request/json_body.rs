//! Extractor of request bodies: decompressed, limited in size and speed, documented as `T`.

use std::io::ErrorKind;
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::{FromRequest, HttpRequest, web};
use apistos::paths::RequestBody;
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use futures_util::future::LocalBoxFuture;
use futures_util::{Stream, StreamExt};
use time_series_domain::ports::run_in;
use time_series_domain::session::IngestError;
use time_series_domain::text;
use tokio::time::Instant;

use super::{BodyPermit, Encoding};
use crate::net::{Pace, PaceLimit, PeerId};
use crate::openapi::{Example, with_example};
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// The byte order mark in UTF-8, which RFC 8259 allows a parser to ignore.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Maximum bytes decompressed per step.
const BUFFER_BYTES: usize = 64 << 10;

/// The bytes of a body that is documented as `T`. The use case parses them and reports every error.
pub(crate) struct JsonBody<T> {
    pub(crate) bytes: Arc<Vec<u8>>,
    pub(crate) peer: PeerId,
    /// The bytes that the body occupies in memory.
    _permit: BodyPermit,
    documented_as: PhantomData<T>,
}

impl<T: 'static> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let state = request.app_data::<web::Data<AppState>>().cloned();
        let encoding = Encoding::of(request.headers());
        let length = content_length(request.headers());
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let state = state.ok_or_else(Problem::internal)?;
            let peer = state.peer_of(&request);
            let (encoding, limit) = (encoding?, state.max_body_bytes);
            // Rejected before any byte is read.
            if length.is_some_and(|length| length > limit as u64) {
                return Err(too_large(limit));
            }
            let mut permit = state.bodies.permit(peer);
            let mut body = PacedBody::new(payload, state.pace);
            let received = read(&mut body, limit, &mut permit).await?;
            if encoding == Encoding::Identity {
                let bytes = Arc::new(without_mark(received));
                return Ok(Self {
                    bytes,
                    peer,
                    _permit: permit,
                    documented_as: PhantomData,
                });
            }
            let lane = state.cpu.lane(peer, usize::MAX);
            let decompress = move || decompress(&received, encoding, limit, permit);
            let (bytes, permit) = run_in(&lane, decompress)
                .await
                .map_err(|busy| Problem::from(IngestError::from(busy)))??;
            let bytes = Arc::new(without_mark(bytes));
            Ok(Self {
                bytes,
                peer,
                _permit: permit,
                documented_as: PhantomData,
            })
        })
    }
}

/// Removes the byte order mark that some programs write at the start of a file.
fn without_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    bytes
}

/// Returns the `Content-Length` of a request.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// The chunks of a body. Reading fails if the client sends too slowly.
pub(crate) struct PacedBody<S> {
    chunks: S,
    pace: Pace,
    limit: PaceLimit,
}

impl<S: Stream<Item = Result<web::Bytes, PayloadError>> + Unpin> PacedBody<S> {
    pub(crate) fn new(chunks: S, limit: PaceLimit) -> Self {
        Self {
            chunks,
            pace: Pace::new(limit),
            limit,
        }
    }

    /// Returns the next chunk. Only the time spent in this function counts as waiting.
    pub(crate) async fn next(&mut self) -> Option<Result<web::Bytes, Problem>> {
        let started = Instant::now();
        let Ok(chunk) = tokio::time::timeout(self.pace.left(), self.chunks.next()).await else {
            metrics::counter!("bodies_too_slow_total").increment(1);
            let (seconds, rate) = (self.limit.grace.as_secs_f64(), self.limit.rate);
            let detail = format!(
                "The body did not arrive in time; the missing part was not stored. Send at least \
                 {rate} bytes per second, without pauses longer than {seconds} s."
            );
            return Some(Err(Problem::new(Code::RequestTimeout, detail)));
        };
        self.pace.waited(started.elapsed());
        let chunk = chunk?.map_err(|e| body_error(&e));
        if let Ok(chunk) = &chunk {
            self.pace.moved(chunk.len());
        }
        Some(chunk)
    }
}

async fn read(
    body: &mut PacedBody<impl Stream<Item = Result<web::Bytes, PayloadError>> + Unpin>,
    limit: usize,
    permit: &mut BodyPermit,
) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        permit.grow(chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Decompresses a body, up to the limit.
fn decompress(
    compressed: &[u8],
    encoding: Encoding,
    limit: usize,
    mut permit: BodyPermit,
) -> Result<(Vec<u8>, BodyPermit), Problem> {
    let mut reader = encoding
        .decompress(compressed)
        .map_err(|e| body_error(&e))?;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Ok((bytes, permit)),
            Ok(read) => read,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(body_error(&e)),
        };
        if bytes.len() + read > limit {
            return Err(too_large(limit));
        }
        permit.grow(read)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
}

pub(crate) fn too_large(limit: usize) -> Problem {
    let detail = format!(
        "The body is longer than {limit} bytes when decompressed. Split it into several sessions."
    );
    Problem::new(Code::BodyTooLarge, detail)
}

pub(crate) fn body_error(e: &(dyn std::error::Error + 'static)) -> Problem {
    let is_bomb = e
        .downcast_ref::<std::io::Error>()
        .is_some_and(|e| e.kind() == ErrorKind::FileTooLarge);
    let code = if is_bomb {
        Code::BodyTooLarge
    } else {
        Code::InvalidBody
    };
    Problem::new(
        code,
        format!("The body could not be read: {}", text::bounded(e, 200)),
    )
}

impl<T: ApiComponent + Example> ApiComponent for JsonBody<T> {
    fn child_schemas() -> Vec<(String, ReferenceOr<Schema>)> {
        T::child_schemas()
    }

    fn schema() -> Option<(String, ReferenceOr<Schema>)> {
        T::schema()
    }

    fn request_body() -> Option<RequestBody> {
        let mut body = T::request_body()?;
        for media in body.content.values_mut() {
            with_example(media, T::example());
        }
        Some(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::BodyBudget;

    const LIMIT: usize = 10_000;

    fn zstd_of(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).expect("zstd succeeds")
    }

    fn decompressed(compressed: &[u8], encoding: Encoding) -> Result<Vec<u8>, Problem> {
        let permit = BodyBudget::new(1 << 20).permit(PeerId::UNKNOWN);
        decompress(compressed, encoding, LIMIT, permit).map(|(bytes, _)| bytes)
    }

    #[test]
    fn a_compressed_body_is_decompressed() {
        assert_eq!(
            decompressed(&zstd_of(b"{}"), Encoding::Zstd).expect("within the limit"),
            b"{}"
        );
    }

    #[test]
    fn a_decompression_bomb_is_rejected_at_the_limit() {
        let bomb = zstd_of(&vec![0; 50_000_000]);
        assert!(bomb.len() < LIMIT);
        assert!(decompressed(&bomb, Encoding::Zstd).is_err());
    }

    #[test]
    fn a_body_in_another_encoding_than_declared_is_rejected() {
        assert!(decompressed(b"{}", Encoding::Zstd).is_err());
        assert!(decompressed(b"{}", Encoding::Gzip).is_err());
    }
}
