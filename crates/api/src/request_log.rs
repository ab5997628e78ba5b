//! Span, metrics and log line of each request.

use std::time::Instant;

use actix_web::HttpMessage;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tracing_actix_web::RequestId;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Maximum length of a request id that a client sends.
const MAX_ID: usize = 128;

/// Returns the id of a request: the client's if it is short and printable ASCII, else a generated
/// one.
fn request_id(request: &ServiceRequest) -> String {
    let given = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let is_printable =
        |id: &&str| (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    match given.filter(is_printable) {
        Some(id) => id.to_owned(),
        None => request
            .extensions()
            .get::<RequestId>()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

/// Returns the trace id of the request's `traceparent` (W3C Trace Context).
fn trace_id(request: &ServiceRequest) -> Option<&str> {
    let id = request
        .headers()
        .get("traceparent")?
        .to_str()
        .ok()?
        .split('-')
        .nth(1)?;
    (id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())).then_some(id)
}

/// Span of a request. It has the template of the route, never parameters.
pub(crate) struct RequestSpan;

impl tracing_actix_web::RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> tracing::Span {
        let route = request.match_pattern().unwrap_or_else(|| "none".to_owned());
        let request_id = request_id(request);
        tracing::info_span!(
            "http",
            http.method = %request.method(),
            http.route = route,
            request_id,
            trace_id = trace_id(request),
            http.status = tracing::field::Empty,
            user_hash = tracing::field::Empty,
        )
    }

    fn on_request_end<B: MessageBody>(
        span: tracing::Span,
        outcome: &Result<ServiceResponse<B>, actix_web::Error>,
    ) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(e) => e.as_response_error().status_code(),
        };
        span.record("http.status", status.as_u16());
    }
}

/// Measures requests by route, logs each, and adds the request id to each response.
pub(crate) async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let started = Instant::now();
    let route = request.match_pattern().unwrap_or_else(|| "none".to_owned());
    // Clients can send any method; the number of label values must stay small.
    let method = match *request.method() {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::DELETE => {
            request.method().to_string()
        }
        _ => "other".to_owned(),
    };
    let id = request_id(&request);
    let mut response = next.call(request).await?;
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let status = response.status().as_u16();
    let seconds = started.elapsed().as_secs_f64();
    let labels = [
        ("method", method),
        ("route", route),
        ("status", status.to_string()),
    ];
    metrics::histogram!("http_server_request_duration_seconds", &labels).record(seconds);
    let bytes = match response.response().body().size() {
        BodySize::Sized(bytes) => Some(bytes),
        _ => None,
    };
    tracing::info!(
        http.status = status,
        http.duration_ms = seconds * 1e3,
        http.bytes = bytes,
        "answered"
    );
    Ok(response)
}
