//! HTTP semantics of every response: `HEAD`, ETags per content encoding, cache control.

use actix_web::body::{BodySize, BodyStream, BoxBody, MessageBody, None as NoBody, SizedStream};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
};
use actix_web::middleware::Next;
use bytes::Bytes;
use futures_util::stream;

use crate::openapi::Truncated;

/// Responses contain data of one user: only private caches may store them, and must revalidate.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Problems must not be cached.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Content encodings that are suffixes of ETags.
const ENCODINGS: [&str; 4] = ["br", "deflate", "gzip", "zstd"];

/// Serves `HEAD` as `GET` without the body, makes ETags unique per content encoding, and sets
/// `Cache-Control`.
pub(crate) async fn http_semantics(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_head = request.method() == Method::HEAD;
    if is_head {
        request.head_mut().method = Method::GET;
    }
    let known = strip_encodings(request.headers_mut());
    let response = next.call(request).await?;
    let is_cacheable =
        response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let mut response = if is_head {
        without_body(response)
    } else {
        response.map_into_boxed_body()
    };
    let headers = response.headers_mut();
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, if is_cacheable { PRIVATE } else { NO_STORE });
    }
    add_encoding(headers, &known);
    Ok(response)
}

/// Removes the body. The head keeps its length if that is known; a streamed body is not produced.
fn without_body(response: ServiceResponse<impl MessageBody + 'static>) -> ServiceResponse<BoxBody> {
    response.map_body(|_, body| {
        let nothing = stream::empty::<Result<Bytes, Truncated>>();
        match body.size() {
            BodySize::None => BoxBody::new(NoBody::new()),
            BodySize::Sized(length) => BoxBody::new(SizedStream::new(length, nothing)),
            BodySize::Stream => BoxBody::new(BodyStream::new(nothing)),
        }
    })
}

/// Removes content encodings from the ETags of `If-None-Match`. Returns the ETags that had one, as
/// received.
fn strip_encodings(headers: &mut HeaderMap) -> Vec<String> {
    let Some(given) = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
    else {
        return Vec::new();
    };
    let etags: Vec<&str> = given.split(',').map(str::trim).collect();
    let known: Vec<String> = etags
        .iter()
        .filter(|etag| without_encoding(etag).is_some())
        .map(|etag| (*etag).to_owned())
        .collect();
    if !known.is_empty() {
        let etags: Vec<String> = etags
            .iter()
            .map(|etag| without_encoding(etag).unwrap_or_else(|| (*etag).to_owned()))
            .collect();
        if let Ok(value) = HeaderValue::try_from(etags.join(", ")) {
            headers.insert(IF_NONE_MATCH, value);
        }
    }
    known
}

/// Returns the ETag without its content encoding; `None` if it has none.
fn without_encoding(etag: &str) -> Option<String> {
    ENCODINGS.iter().find_map(|encoding| {
        let text = etag.strip_suffix(&format!("-{encoding}\""))?;
        Some(format!("{text}\""))
    })
}

/// Appends the content encoding of a compressed response to its ETag, since a strong ETag
/// identifies bytes.
fn add_encoding(headers: &mut HeaderMap, known: &[String]) {
    let Some(etag) = headers.get(ETAG).and_then(|value| value.to_str().ok()) else {
        return;
    };
    let Some(text) = etag.strip_suffix('"') else {
        return;
    };
    let etag = match headers
        .get(CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok())
    {
        Some(encoding) if ENCODINGS.contains(&encoding) => format!("{text}-{encoding}\""),
        // For 304, the ETag of the client's copy.
        _ => match known
            .iter()
            .find(|known| known.trim_start_matches("W/").starts_with(text))
        {
            Some(known) => known.clone(),
            None => return,
        },
    };
    if let Ok(value) = HeaderValue::try_from(etag) {
        headers.insert(ETAG, value);
    }
}
