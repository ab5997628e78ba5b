//! Context of a query: the client, its timeout and its conditional headers.

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

/// The client of a query and the headers that apply to every query.
pub(crate) struct RequestContext {
    request: HttpRequest,
    peer: PeerId,
    /// The requested timeout; `None` stands for the configured maximum.
    pub(crate) timeout: Option<Duration>,
}

impl RequestContext {
    /// Returns the header `Accept`, or `*/*` if it is absent.
    pub(crate) fn accept(&self) -> &str {
        self.header(&ACCEPT).unwrap_or("*/*")
    }

    /// Returns the peer whose limits the request counts against.
    pub(crate) const fn peer(&self) -> PeerId {
        self.peer
    }

    /// Returns once the client has closed the connection; never if the connection is unknown.
    pub(crate) async fn disconnected(&self) {
        match self.request.conn_data::<ClientConnection>() {
            Some(connection) => connection.closed().await,
            None => std::future::pending().await,
        }
    }

    /// Returns the ETags of `If-None-Match`.
    pub(crate) fn known_etags(&self) -> KnownEtags {
        KnownEtags(self.header(&IF_NONE_MATCH).map(str::to_owned))
    }

    /// Returns a problem unless the request is from an admin.
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

/// The ETags of the responses that the client has cached.
#[derive(Debug, Clone)]
pub(crate) struct KnownEtags(Option<String>);

impl KnownEtags {
    /// No ETags.
    pub(crate) const NONE: Self = Self(None);

    /// Returns whether the request is conditional (`If-None-Match`).
    pub(crate) const fn is_conditional(&self) -> bool {
        self.0.is_some()
    }

    /// Returns whether `If-None-Match` contains the ETag or is `*`.
    pub(crate) fn has(&self, etag: &str) -> bool {
        let matches =
            |given: &str| given.trim() == "*" || given.trim().trim_start_matches("W/") == etag;
        self.0
            .as_ref()
            .is_some_and(|etags| etags.split(',').any(matches))
    }
}

impl FromRequest for RequestContext {
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
                "is {:?}; it must be a number of seconds greater than 0, such as 2.5",
                echo(text)
            ),
        )
    })
}

impl ApiComponent for RequestContext {
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
                "Maximum time of the query, in seconds. The service has an upper limit. A query \
                 that takes longer is cancelled with 503 `timed_out`.",
                "2.5",
            ),
            header_parameter(
                "If-None-Match",
                "The `ETag` of an earlier response; 304 if the response has not changed.",
                "\"0a1b\"",
            ),
        ]
    }
}

/// Returns the OpenAPI description of an optional request header.
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
