//! Logs: one JSON object a line, or text for people.

use std::io::IsTerminal;
use std::time::Instant;

use actix_web::HttpMessage;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tracing::Level;
use tracing_actix_web::RequestId;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;

use crate::config::LogConfig;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id of a request that is taken from its caller.
const LONGEST_ID: usize = 128;
/// Prefix of the targets of this workspace.
const OURS: &str = "time_series";

/// Starts logging to standard error. A second call in one process changes nothing.
///
/// # Panics
/// Never: the directive that is parsed is a constant.
pub fn init_telemetry(config: &LogConfig) {
    let filter = EnvFilter::try_new(&config.directives).unwrap_or_else(|_| EnvFilter::new("info"));
    // It logs each malformed request and each broken connection as an error of its own: log lines for anyone to make.
    let filter = filter.add_directive("actix_http=off".parse().expect("it is a valid directive"));
    let registry = tracing_subscriber::registry().with(filter);
    // At finer levels, other crates write what they send: ids and measured values.
    let is_ours = filter_fn(|metadata| {
        metadata.target().starts_with(OURS) || *metadata.level() <= Level::INFO
    });
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = if config.json {
        registry
            .with(
                layer
                    .json()
                    .flatten_event(true)
                    .with_span_list(false)
                    .with_filter(is_ours),
            )
            .try_init()
    } else {
        registry.with(layer.with_filter(is_ours)).try_init()
    };
    started.ok(); // already started: by a test beside this one
}

/// The id of a request: the caller's, if it is short and plain, else one of its own.
fn request_id(request: &ServiceRequest) -> String {
    let given = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let is_plain = |id: &&str| {
        (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())
    };
    match given.filter(is_plain) {
        Some(id) => id.to_owned(),
        None => request
            .extensions()
            .get::<RequestId>()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

/// The trace that a request belongs to (W3C Trace Context), if its caller says so.
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

/// The span of a request: its route as a template, never its parameters.
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

/// Counts and times requests by route, logs each, and gives each answer its request's id.
pub(crate) async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let started = Instant::now();
    let route = request.match_pattern().unwrap_or_else(|| "none".to_owned());
    // Labels are few: any token can be a method.
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
    metrics::histogram!("http_request_seconds", &labels).record(seconds);
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
