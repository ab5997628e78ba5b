//! HTTP semantics of every response: `HEAD`, tags per encoding, cache control.

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

use crate::openapi::BrokenOff;

/// Answers are of one person's data: only their own cache may keep them, and has to ask each time.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Problems must not be cached.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// The encodings that a tag may name behind its own text.
const ENCODINGS: [&str; 4] = ["br", "deflate", "gzip", "zstd"];

/// Lets `HEAD` be answered as `GET` without the body, gives each encoding of an answer a tag of its own, and says who may
/// keep an answer.
pub(crate) async fn http_semantics(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_head = request.method() == Method::HEAD;
    if is_head {
        request.head_mut().method = Method::GET;
    }
    let known = encoded_tags(request.headers_mut());
    let response = next.call(request).await?;
    let is_answer = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let mut response = if is_head {
        without_body(response)
    } else {
        response.map_into_boxed_body()
    };
    let headers = response.headers_mut();
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, if is_answer { PRIVATE } else { NO_STORE });
    }
    tag_of_encoding(headers, &known);
    Ok(response)
}

/// Drops the body. Its length stays in the head if it is known; a streamed body is not produced.
fn without_body(response: ServiceResponse<impl MessageBody + 'static>) -> ServiceResponse<BoxBody> {
    response.map_body(|_, body| {
        let nothing = stream::empty::<Result<Bytes, BrokenOff>>();
        match body.size() {
            BodySize::None => BoxBody::new(NoBody::new()),
            BodySize::Sized(length) => BoxBody::new(SizedStream::new(length, nothing)),
            BodySize::Stream => BoxBody::new(BodyStream::new(nothing)),
        }
    })
}

/// Takes the names of encodings from the tags that the client has; gives the tags that had one, as they came.
fn encoded_tags(headers: &mut HeaderMap) -> Vec<String> {
    let Some(given) = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
    else {
        return Vec::new();
    };
    let plain = |tag: &str| {
        ENCODINGS.iter().find_map(|encoding| {
            Some(format!(
                "{}\"",
                tag.strip_suffix(&format!("-{encoding}\""))?
            ))
        })
    };
    let tags: Vec<&str> = given.split(',').map(str::trim).collect();
    let known: Vec<String> = tags
        .iter()
        .filter(|tag| plain(tag).is_some())
        .map(|tag| (*tag).to_owned())
        .collect();
    if !known.is_empty() {
        let tags: Vec<String> = tags
            .iter()
            .map(|tag| plain(tag).unwrap_or_else(|| (*tag).to_owned()))
            .collect();
        if let Ok(value) = HeaderValue::try_from(tags.join(", ")) {
            headers.insert(IF_NONE_MATCH, value);
        }
    }
    known
}

/// The tag of a packed answer names its encoding: its bytes are others.
fn tag_of_encoding(headers: &mut HeaderMap, known: &[String]) {
    let Some(tag) = headers.get(ETAG).and_then(|value| value.to_str().ok()) else {
        return;
    };
    let Some(text) = tag.strip_suffix('"') else {
        return;
    };
    let tag = match headers
        .get(CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok())
    {
        Some(encoding) if ENCODINGS.contains(&encoding) => format!("{text}-{encoding}\""),
        // Not modified: the tag of what the client has.
        _ => match known
            .iter()
            .find(|known| known.trim_start_matches("W/").starts_with(text))
        {
            Some(known) => known.clone(),
            None => return,
        },
    };
    if let Ok(value) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, value);
    }
}
