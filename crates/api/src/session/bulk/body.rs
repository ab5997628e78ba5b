//! The body of a bulk request: one session a line.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use apistos::paths::{MediaType, RequestBody};
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};

use crate::net::PeerId;
use crate::openapi::Example;
use crate::problem::Problem;
use crate::request::Encoding;
use crate::session::session_body::SessionBody;
use crate::state::AppState;

const DESCRIPTION: &str = "One session a line, as in `POST /api/sessions/`, with its `session_id`. As `text/csv`: a row a \
    point; the first line names the columns, which are user_id, session_id, series, time, start_ts if you like, and the \
    leaves of the values (value, r, pos.x). Rows with the same ids that follow each other are one session. A cell that is \
    JSON is that, any other is text, an empty one is no leaf.";
const ROWS: &str = "user_id,session_id,start_ts,series,time,value,r,g,b\n\
    d38834e0-fe46-4bf9-831d-1d5b125bdc9b,0191d9f0-6d2c-7c3e-9b1a-3f8f0c5b7a11,2025-01-01T00:00:00Z,session.gut_health_score,2025-01-01T00:01:00Z,71.5,,,\n\
    d38834e0-fe46-4bf9-831d-1d5b125bdc9b,0191d9f0-6d2c-7c3e-9b1a-3f8f0c5b7a11,,session.urine.color,2025-01-01T00:01:00Z,,255,240,120\n";

/// A body that is read line by line.
pub(crate) struct LinesBody {
    pub(super) payload: web::Payload,
    pub(super) encoding: Encoding,
    /// Rows of CSV, and not one session per line.
    pub(super) is_csv: bool,
    pub(super) peer: PeerId,
}

impl FromRequest for LinesBody {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload).into_inner();
        let encoding = Encoding::of(request.headers());
        let is_csv = request.content_type().eq_ignore_ascii_case("text/csv");
        let payload = payload.map_err(|_| Problem::internal());
        let peer = request
            .app_data::<web::Data<AppState>>()
            .map_or(PeerId::UNKNOWN, |state| state.peer_of(request));
        ready(payload.and_then(|payload| {
            Ok(Self {
                payload,
                encoding: encoding?,
                is_csv,
                peer,
            })
        }))
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
        let rows = MediaType {
            example: Some(apistos::paths::Examples::Example(ROWS.into())),
            ..MediaType::default()
        };
        Some(RequestBody {
            description: Some(DESCRIPTION.to_owned()),
            content: [
                ("application/x-ndjson".to_owned(), media),
                ("text/csv".to_owned(), rows),
            ]
            .into(),
            required: Some(true),
            ..RequestBody::default()
        })
    }
}
