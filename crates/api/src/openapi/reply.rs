//! Answers that document themselves: status, schema, example.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use apistos::paths::{Examples, MediaType, Response, Responses};
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use serde::Serialize;
use serde_json::Value;

/// A type with an example for the document.
pub(crate) trait Example {
    /// A whole, plausible one.
    fn example() -> Value;
}

/// A body that is the answer under one or several statuses.
pub(crate) trait Answer: ApiComponent + Example {
    /// Each status and what it means.
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "Done.")];
}

/// An answer to be sent as JSON.
pub(crate) struct Reply<T> {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: T,
}

impl<T> Reply<T> {
    pub(crate) const fn new(status: StatusCode, body: T) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub(crate) const fn ok(body: T) -> Self {
        Self::new(StatusCode::OK, body)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }
}

impl<T: Serialize> Responder for Reply<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for header in self.headers {
            response.insert_header(header);
        }
        response.json(self.body)
    }
}

/// An answer whose JSON is already there, documented as `T`.
pub(crate) struct Rendered<T> {
    json: Vec<u8>,
    documented_as: PhantomData<T>,
}

impl<T> Rendered<T> {
    pub(crate) const fn new(json: Vec<u8>) -> Self {
        Self { json, documented_as: PhantomData }
    }
}

impl<T> Responder for Rendered<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().insert_header(ContentType::json()).body(self.json)
    }
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
    let reference =
        T::schema().map(|(name, _)| ReferenceOr::Reference { _ref: format!("#/components/schemas/{name}") });
    let response = |(status, description): &(u16, &str)| {
        let mut media = MediaType { schema: reference.clone(), ..MediaType::default() };
        with_example(&mut media, T::example());
        let response = Response {
            description: (*description).to_owned(),
            content: BTreeMap::from([("application/json".to_owned(), media)]),
            ..Response::default()
        };
        (status.to_string(), ReferenceOr::Object(response))
    };
    Responses { responses: T::STATUSES.iter().map(response).collect(), ..Responses::default() }
}

/// Adds an example to a documented body.
pub(crate) fn with_example(media: &mut MediaType, example: Value) {
    media.example = Some(Examples::Example(example));
}

/// 204: it is gone.
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
        let gone = Response { description: "It is deleted.".to_owned(), ..Response::default() };
        let responses = BTreeMap::from([("204".to_owned(), ReferenceOr::Object(gone))]);
        Some(Responses { responses, ..Responses::default() })
    }
}
