//! Responses that document their status, schema and example.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::body::{BoxBody, SizedStream};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, VARY};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Responder, ResponseError, web};
use apistos::paths::{Examples, MediaType, Response, Responses};
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde::Serialize;
use serde_json::Value;
use time_series_domain::query::MemoryReservation;

use crate::format::{Format, json};
use crate::problem::Problem;
use crate::request::USER_VERSION;
use crate::state::AppState;

/// Length of the slices in which a long body is sent.
const SLICE_BYTES: usize = 32 << 10;

/// A type with an example for the OpenAPI document.
pub(crate) trait Example {
    /// Returns a complete, plausible example.
    fn example() -> Value;
}

/// A response body with the statuses that it is sent with.
pub(crate) trait Answer: ApiComponent + Example {
    /// Statuses with their descriptions.
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "The request succeeded.")];
    /// Formats in addition to JSON.
    const FORMATS: &'static [Format] = &[];
}

/// A response that is sent as JSON.
pub(crate) struct Reply<T> {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: T,
}

impl<T> Reply<T> {
    pub(crate) const fn new(status: StatusCode, body: T) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    pub(crate) const fn ok(body: T) -> Self {
        Self::new(StatusCode::OK, body)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers
            .extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }
}

impl<T: Serialize> Responder for Reply<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for header in self.headers {
            response.insert_header(header);
        }
        let mut bytes = Vec::new();
        json(&mut bytes, &self.body);
        whole(
            request,
            response.content_type(Format::Json.media_type()),
            bytes,
        )
    }
}

/// A response that is rendered before or while it is sent, documented as `T`.
pub(crate) struct Rendered<T> {
    content_type: &'static str,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: RenderedBody,
    documented_as: PhantomData<T>,
}

enum RenderedBody {
    Whole(Vec<u8>),
    /// Chunks, and their total length if it is known.
    Chunks(Chunks, Option<u64>),
    /// The client has the current response.
    NotModified,
}

/// Chunks of a body. An error closes the connection, which shows the client that the body is
/// truncated.
pub(crate) type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, Truncated>> + Send>>;

/// Error that ends a body early. The client sees that the connection is closed.
#[derive(Debug, thiserror::Error)]
#[error("the response was truncated")]
pub(crate) struct Truncated;

impl<T> Rendered<T> {
    const fn new(content_type: &'static str, body: RenderedBody) -> Self {
        Self {
            content_type,
            headers: Vec::new(),
            body,
            documented_as: PhantomData,
        }
    }

    pub(crate) const fn whole(content_type: &'static str, bytes: Vec<u8>) -> Self {
        Self::new(content_type, RenderedBody::Whole(bytes))
    }

    pub(crate) fn chunks(content_type: &'static str, chunks: Chunks, length: Option<u64>) -> Self {
        Self::new(content_type, RenderedBody::Chunks(chunks, length))
    }

    pub(crate) const fn not_modified() -> Self {
        Self::new("", RenderedBody::NotModified)
    }

    /// Returns the version of the users' data from the header `user-version`.
    pub(crate) fn version(&self) -> Option<u64> {
        let header = self
            .headers
            .iter()
            .find(|(name, _)| *name == USER_VERSION)?;
        header.1.to_str().ok()?.parse().ok()
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers
            .extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }
}

impl<T> Responder for Rendered<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let status = match self.body {
            RenderedBody::NotModified => StatusCode::NOT_MODIFIED,
            _ => StatusCode::OK,
        };
        let mut response = HttpResponse::build(status);
        for header in self.headers {
            response.insert_header(header);
        }
        response.insert_header((VARY, "Accept"));
        match self.body {
            RenderedBody::NotModified => response.finish(),
            RenderedBody::Whole(bytes) => {
                whole(request, response.content_type(self.content_type), bytes)
            }
            RenderedBody::Chunks(chunks, Some(length)) => response
                .content_type(self.content_type)
                .body(SizedStream::new(length, chunks)),
            RenderedBody::Chunks(chunks, None) => {
                response.content_type(self.content_type).streaming(chunks)
            }
        }
    }
}

/// Adds a complete body to a response. A long body counts as query memory until it is sent.
fn whole(
    request: &HttpRequest,
    response: &mut HttpResponseBuilder,
    bytes: Vec<u8>,
) -> HttpResponse {
    if bytes.len() <= SLICE_BYTES {
        return response.body(bytes);
    }
    let memory = request
        .app_data::<web::Data<AppState>>()
        .map(|state| state.query_memory.reservation());
    let Some(mut memory) = memory else {
        return response.body(bytes);
    };
    match memory.grow_to(bytes.capacity()) {
        Ok(()) => response.body(SizedStream::new(bytes.len() as u64, slices(bytes, memory))),
        Err(exceeded) => Problem::from(exceeded).error_response(),
    }
}

/// Returns a long body in slices. The connection takes the next slice only after the client has
/// read most of the previous one.
fn slices(
    bytes: Vec<u8>,
    memory: MemoryReservation,
) -> impl Stream<Item = Result<Bytes, Truncated>> {
    stream::unfold(
        (Bytes::from(bytes), memory),
        |(mut rest, memory)| async move {
            let slice = rest.split_to(rest.len().min(SLICE_BYTES));
            (!slice.is_empty()).then_some((Ok(slice), (rest, memory)))
        },
    )
}

macro_rules! documented_as_answer {
    ($reply:ident) => {
        impl<T: Answer> ApiComponent for $reply<T> {
            fn child_schemas() -> Vec<(String, ReferenceOr<Schema>)> {
                T::child_schemas()
            }

            fn schema() -> Option<(String, ReferenceOr<Schema>)> {
                T::schema()
            }

            fn responses(_: Option<String>) -> Option<Responses> {
                Some(responses::<T>())
            }
        }
    };
}

documented_as_answer!(Reply);
documented_as_answer!(Rendered);

fn responses<T: Answer>() -> Responses {
    let reference = T::schema().map(|(name, _)| ReferenceOr::Reference {
        _ref: format!("#/components/schemas/{name}"),
    });
    let response = |(status, description): &(u16, &str)| {
        let mut media = MediaType {
            schema: reference.clone(),
            ..MediaType::default()
        };
        with_example(&mut media, T::example());
        let mut content = BTreeMap::from([("application/json".to_owned(), media)]);
        content.extend(
            T::FORMATS
                .iter()
                .map(|format| (format.essence().to_owned(), MediaType::default())),
        );
        if *status == StatusCode::NOT_MODIFIED.as_u16() {
            content.clear();
        }
        let response = Response {
            description: (*description).to_owned(),
            content,
            ..Response::default()
        };
        (status.to_string(), ReferenceOr::Object(response))
    };
    Responses {
        responses: T::STATUSES.iter().map(response).collect(),
        ..Responses::default()
    }
}

/// Adds an example to the description of a body.
pub(crate) fn with_example(media: &mut MediaType, example: Value) {
    media.example = Some(Examples::Example(example));
}

/// Response of a successful deletion: 204.
pub(crate) struct Deleted(pub(crate) HttpResponse);

impl Responder for Deleted {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl ApiComponent for Deleted {
    fn child_schemas() -> Vec<(String, ReferenceOr<Schema>)> {
        Vec::new()
    }

    fn schema() -> Option<(String, ReferenceOr<Schema>)> {
        None
    }

    fn responses(_: Option<String>) -> Option<Responses> {
        let deleted = Response {
            description: "The resource is deleted.".to_owned(),
            ..Response::default()
        };
        let responses = BTreeMap::from([("204".to_owned(), ReferenceOr::Object(deleted))]);
        Some(Responses {
            responses,
            ..Responses::default()
        })
    }
}
