//! The body as bytes, unpacked, bounded, documented as `T`.

use std::io::Read;
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::{FromRequest, HttpRequest, web};
use apistos::paths::RequestBody;
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use futures_util::future::LocalBoxFuture;
use futures_util::{Stream, StreamExt};
use time_series_domain::text;

use super::{Encoding, Intake, Share};
use crate::openapi::{Example, with_example};
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// A body that is meant to be a `T`. Reading it is the use case's business, since it names every fault.
pub(crate) struct JsonBody<T> {
    pub(crate) bytes: Vec<u8>,
    /// Its share of the bytes in memory.
    _shares: Vec<Share>,
    documented_as: PhantomData<T>,
}

impl<T: 'static> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let state = request.app_data::<web::Data<AppState>>().cloned();
        let encoding = Encoding::of(request.headers());
        let payload = payload.take();
        Box::pin(async move {
            let state = state.ok_or_else(Problem::internal)?;
            let (encoding, limit) = (encoding?, state.max_body_bytes);
            let mut shares = Vec::new();
            let packed = read(payload, limit, &state.intake, &mut shares).await?;
            let packed_length = packed.len();
            let bytes = unpack(packed, encoding, limit)?;
            if bytes.len() > packed_length {
                shares.push(state.intake.try_take(bytes.len() - packed_length)?);
            }
            Ok(Self { bytes, _shares: shares, documented_as: PhantomData })
        })
    }
}

async fn read(
    mut body: impl Stream<Item = Result<web::Bytes, PayloadError>> + Unpin,
    limit: usize,
    intake: &Intake,
    shares: &mut Vec<Share>,
) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|e| unreadable(&e))?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        shares.push(intake.try_take(chunk.len())?);
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Never makes more than the limit of a packed body, however much it would be.
fn unpack(packed: Vec<u8>, encoding: Encoding, limit: usize) -> Result<Vec<u8>, Problem> {
    if encoding == Encoding::Identity {
        return Ok(packed);
    }
    bounded(encoding.unpack(packed.as_slice()).map_err(|e| unreadable(&e))?, limit)
}

fn bounded(reader: impl Read, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(one_more).read_to_end(&mut bytes).map_err(|e| unreadable(&e))?;
    if bytes.len() > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

pub(crate) fn too_large(limit: usize) -> Problem {
    let detail = format!("The body is longer than {limit} bytes, unpacked. Send it as several sessions.");
    Problem::new(Code::BodyTooLarge, detail)
}

pub(crate) fn unreadable(e: &dyn std::error::Error) -> Problem {
    Problem::new(Code::InvalidBody, format!("The body cannot be read: {}", text::bounded(e, 200)))
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

    const LIMIT: usize = 10_000;

    fn zstd_of(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).expect("packs")
    }

    #[test]
    fn a_packed_body_is_unpacked() {
        assert_eq!(unpack(zstd_of(b"{}"), Encoding::Zstd, LIMIT).expect("fits"), b"{}");
        assert_eq!(unpack(b"{}".to_vec(), Encoding::Identity, LIMIT).expect("fits"), b"{}");
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let bomb = zstd_of(&vec![0; 50_000_000]);
        assert!(bomb.len() < LIMIT);
        assert!(unpack(bomb, Encoding::Zstd, LIMIT).is_err());
    }

    #[test]
    fn what_is_not_packed_as_it_says_is_refused() {
        assert!(unpack(b"{}".to_vec(), Encoding::Zstd, LIMIT).is_err());
        assert!(unpack(b"{}".to_vec(), Encoding::Gzip, LIMIT).is_err());
    }
}
