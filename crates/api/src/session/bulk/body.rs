//! The body of a bulk request: one session a line.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use apistos::paths::{MediaType, RequestBody};
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};

use crate::openapi::Example;
use crate::problem::Problem;
use crate::request::Encoding;
use crate::session::session_body::SessionBody;

/// A body that is read line by line.
pub(crate) struct LinesBody {
    pub(super) payload: web::Payload,
    pub(super) encoding: Encoding,
}

impl FromRequest for LinesBody {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload).into_inner();
        let encoding = Encoding::of(request.headers());
        ready(payload.map_err(|_| Problem::internal()).and_then(|payload| Ok(Self { payload, encoding: encoding? })))
    }
}

impl ApiComponent for LinesBody {
    fn child_schemas() -> Vec<(String, ReferenceOr<Schema>)> {
        let mut schemas = SessionBody::child_schemas();
        schemas.extend(SessionBody::schema());
        schemas
    }

    fn schema() -> Option<(String, ReferenceOr<Schema>)> {
        None
    }

    fn request_body() -> Option<RequestBody> {
        let mut media = MediaType::default();
        let line = format!("{}\n", SessionBody::example());
        media.example = Some(apistos::paths::Examples::Example(line.into()));
        let description = "One session a line, as in `POST /api/sessions/`, with its `session_id`.".to_owned();
        Some(RequestBody {
            description: Some(description),
            content: [("application/x-ndjson".to_owned(), media)].into(),
            required: Some(true),
            ..RequestBody::default()
        })
    }
}
