//! Generates the OpenAPI document from the routes.

use actix_web::{App, test};
use apistos::app::BuildConfig;
use apistos::info::{Contact, Info, License};
use apistos::server::Server;
use apistos::spec::Spec;
use apistos::tag::Tag;

use crate::routes;

const INTRODUCTION: &str = "Stores sessions and serves exact, up-to-date aggregate queries over \
    them. A session is a recording of one user: timed points with JSON values in several series, \
    each validated against the JSON Schema of its series. A 2xx response to a write means that the \
    write is committed and fsynced; a session is stored completely or not at all. Errors are RFC \
    9457 problem documents with a stable `code`; for invalid input, `errors` lists the errors. \
    Trailing slashes are optional. Times are RFC 3339; times in responses are UTC unless the query \
    has a `tz`.";

/// Returns the parts of the document that describe the service as a whole.
pub(crate) fn spec() -> Spec {
    let tag = |name: &str, description: &str| Tag {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        ..Tag::default()
    };
    Spec {
        info: Info {
            title: "Time-series backend".to_owned(),
            description: Some(INTRODUCTION.to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            contact: None::<Contact>,
            license: Some(License {
                name: "MIT OR Apache-2.0".to_owned(),
                ..License::default()
            }),
            ..Info::default()
        },
        tags: vec![
            tag("sessions", "Store, list and delete recordings."),
            tag("timeseries", "Query aggregates."),
            tag(
                "points",
                "Read points, latest values and the catalogue of series.",
            ),
            tag(
                "metrictypes",
                "Manage the series and the JSON Schemas of their values.",
            ),
            tag("health", "Probes and metrics for operators."),
        ],
        servers: vec![Server {
            url: "/".to_owned(),
            ..Server::default()
        }],
        ..Spec::default()
    }
}

/// Returns the OpenAPI 3.0 document as pretty JSON, as committed in `docs/openapi.json`.
pub async fn document() -> String {
    // apistos provides the document only through its route.
    let app = test::init_service(routes::documented(App::new(), BuildConfig::default())).await;
    let request = test::TestRequest::get()
        .uri(routes::DOCUMENT_PATH)
        .to_request();
    let document: serde_json::Value = test::call_and_read_body_json(&app, request).await;
    format!("{document:#}\n")
}
