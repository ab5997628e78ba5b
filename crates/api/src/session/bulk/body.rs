//! Body of a bulk upload: NDJSON with one session per line, or CSV with one point per row.

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

const DESCRIPTION: &str = "NDJSON: one session per line, as in `POST /api/sessions/`, with its \
    `session_id`. `text/csv`: one point per row. The first line contains the column names: \
    user_id, session_id, series, time, optionally start_ts, and the leaves of the values (value, \
    r, pos.x). \
    Consecutive rows with the same ids form one session. A cell that is valid JSON is that JSON \
    value; any other cell is a string; an empty cell is an absent leaf.";
const CSV_EXAMPLE: &str = "user_id,session_id,start_ts,series,time,value,r,g,b\n\
    d38834e0-fe46-4bf9-831d-1d5b125bdc9b,0191d9f0-6d2c-7c3e-9b1a-3f8f0c5b7a11,\
    2025-01-01T00:00:00Z,session.gut_health_score,2025-01-01T00:01:00Z,71.5,,,\n\
    d38834e0-fe46-4bf9-831d-1d5b125bdc9b,0191d9f0-6d2c-7c3e-9b1a-3f8f0c5b7a11,\
    ,session.urine.color,2025-01-01T00:01:00Z,,255,240,120\n";

/// A bulk upload, which is read line by line.
pub(crate) struct BulkBody {
    pub(super) payload: web::Payload,
    pub(super) encoding: Encoding,
    /// `true` for CSV, `false` for NDJSON.
    pub(super) is_csv: bool,
    pub(super) peer: PeerId,
}

impl FromRequest for BulkBody {
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

impl ApiComponent for BulkBody {
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
            example: Some(apistos::paths::Examples::Example(CSV_EXAMPLE.into())),
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
