//! The body as bytes, unpacked, bounded, documented as `T`.

use std::marker::PhantomData;

use actix_web::dev::{Decompress, Payload};
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::{FromRequest, HttpRequest, web};
use apistos::paths::RequestBody;
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;

use crate::openapi::{Example, with_example};
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// A body that is meant to be a `T`. Reading it is the use case's business, since it names every fault.
pub(crate) struct JsonBody<T> {
    pub(crate) bytes: Vec<u8>,
    documented_as: PhantomData<T>,
}

impl<T: 'static> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<web::Data<AppState>>().map_or(0, |state| state.max_body_bytes);
        let encoding = request.headers().get(CONTENT_ENCODING).cloned();
        let unpacked = Decompress::from_headers(payload.take(), request.headers());
        Box::pin(async move {
            if let Some(encoding) = encoding {
                supported(encoding.to_str().unwrap_or_default())?;
            }
            let bytes = read(unpacked, limit).await?;
            Ok(Self { bytes, documented_as: PhantomData })
        })
    }
}

fn supported(encoding: &str) -> Result<(), Problem> {
    if ["gzip", "zstd", "identity"].contains(&encoding.trim().to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    let detail = format!("Content-Encoding {encoding:?} is not supported; use gzip, zstd or none.");
    Err(Problem::new(Code::UnsupportedEncoding, detail))
}

async fn read(
    mut body: impl futures_util::Stream<Item = Result<web::Bytes, actix_web::error::PayloadError>> + Unpin,
    limit: usize,
) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|e| Problem::new(Code::InvalidBody, format!("The body cannot be read: {e}")))?;
        if bytes.len() + chunk.len() > limit {
            let detail = format!("The body is longer than {limit} bytes, unpacked. Send it as several sessions.");
            return Err(Problem::new(Code::BodyTooLarge, detail));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
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
