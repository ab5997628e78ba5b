//! What the headers of a query say.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{ACCEPT, HeaderName, IF_NONE_MATCH};
use actix_web::{FromRequest, HttpRequest, web};
use apistos::paths::{Examples, Parameter, ParameterDefinition, ParameterIn};
use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use time_series_domain::text::echo;

use super::admin::admin;
use crate::net::{ClientConnection, PeerId};
use crate::problem::Problem;
use crate::state::AppState;

const REQUEST_TIMEOUT: &str = "Request-Timeout";

/// Who asks, for how long, in which format, and what they know already.
pub(crate) struct Caller {
    request: HttpRequest,
    peer: PeerId,
    /// How long the caller waits; the operator's cap where the caller says nothing.
    pub(crate) timeout: Option<Duration>,
}

impl Caller {
    /// The header `Accept`; anything where there is none.
    pub(crate) fn accept(&self) -> &str {
        self.header(&ACCEPT).unwrap_or("*/*")
    }

    /// The peer that the request counts for.
    pub(crate) const fn peer(&self) -> PeerId {
        self.peer
    }

    /// Returns once the caller has closed the connection; never for one whose connection is not known.
    pub(crate) async fn disconnected(&self) {
        match self.request.conn_data::<ClientConnection>() {
            Some(connection) => connection.closed().await,
            None => std::future::pending().await,
        }
    }

    /// The tags of the answers that the caller has, to be compared away from the request.
    pub(crate) fn known_tags(&self) -> KnownTags {
        KnownTags(self.header(&IF_NONE_MATCH).map(str::to_owned))
    }

    /// Refuses those who are no admins.
    pub(crate) fn require_admin(&self) -> Result<(), Problem> {
        admin(&self.request).map(|_| ())
    }

    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    }
}

/// The tags of the answers that a caller has.
#[derive(Debug, Clone)]
pub(crate) struct KnownTags(Option<String>);

impl KnownTags {
    /// Those of a caller that has none.
    pub(crate) const NONE: Self = Self(None);

    /// Returns whether the request is conditional (`If-None-Match`).
    pub(crate) const fn is_conditional(&self) -> bool {
        self.0.is_some()
    }

    /// Returns whether `If-None-Match` contains the tag, or is `*`: whatever there is.
    pub(crate) fn has(&self, tag: &str) -> bool {
        let weak =
            |given: &str| given.trim() == "*" || given.trim().trim_start_matches("W/") == tag;
        self.0
            .as_ref()
            .is_some_and(|tags| tags.split(',').any(weak))
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let timeout = match request.headers().get(REQUEST_TIMEOUT) {
            None => Ok(None),
            Some(value) => seconds(value.to_str().unwrap_or_default()).map(Some),
        };
        let peer = request
            .app_data::<web::Data<AppState>>()
            .map_or(PeerId::UNKNOWN, |state| state.peer_of(request));
        ready(timeout.map(|timeout| Self {
            request: request.clone(),
            peer,
            timeout,
        }))
    }
}

fn seconds(text: &str) -> Result<Duration, Problem> {
    let seconds = text
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|s| *s > 0.0 && s.is_finite());
    let duration = seconds.and_then(|s| Duration::try_from_secs_f64(s.min(1e9)).ok());
    duration.ok_or_else(|| {
        Problem::parameter(
            REQUEST_TIMEOUT,
            format!(
                "is {:?}; the header takes seconds above 0, such as 2.5",
                echo(text)
            ),
        )
    })
}

impl ApiComponent for Caller {
    fn child_schemas() -> Vec<(String, ReferenceOr<Schema>)> {
        Vec::new()
    }

    fn schema() -> Option<(String, ReferenceOr<Schema>)> {
        None
    }

    fn parameters() -> Vec<Parameter> {
        vec![
            header_parameter(
                REQUEST_TIMEOUT,
                "How many seconds the answer may take; capped by the operator. Then the query is cancelled and answered 503.",
                "2.5",
            ),
            header_parameter(
                "If-None-Match",
                "The `ETag` of an answer; 304 if it would be the same.",
                "\"0a1b\"",
            ),
        ]
    }
}

/// A header that may be sent, for the document.
pub(super) fn header_parameter(name: &str, description: &str, example: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        _in: ParameterIn::Header,
        description: Some(description.to_owned()),
        required: Some(false),
        definition: Some(ParameterDefinition::Schema(Box::new(ReferenceOr::Object(
            text(),
        )))),
        example: Some(Examples::Example(example.into())),
        ..Parameter::default()
    }
}

fn text() -> Schema {
    <String as schemars::JsonSchema>::json_schema(&mut schemars::r#gen::SchemaGenerator::default())
}
