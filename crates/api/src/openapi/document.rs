//! Makes the OpenAPI document from the routes.

use actix_web::{App, test};
use apistos::app::BuildConfig;
use apistos::info::{Contact, Info, License};
use apistos::server::Server;
use apistos::spec::Spec;
use apistos::tag::Tag;

use crate::routes;

const INTRODUCTION: &str = "Ingests sessions (one user's recording: timed, JSON-valued points over several series, \
    each checked against its series' JSON Schema) and answers aggregated time-series queries over them: exact and \
    always fresh. A 2xx answer to a write means committed and fsynced; a session is stored whole or not at all. \
    Errors are RFC 9457 problem documents with a stable `code`; for bad input, `errors` names every fault. \
    Trailing slashes are optional. Times are RFC 3339; those in answers are UTC unless a `tz` was asked for.";

/// What the document says of the service as a whole.
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
            tag("timeseries", "Ask for aggregates."),
            tag("points", "Read points, and see what there is."),
            tag(
                "metrictypes",
                "The series there are and what their values look like.",
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

/// The OpenAPI 3.0 document, pretty JSON, as committed in `docs/openapi.json`.
pub async fn document() -> String {
    // The document can be had through its route only.
    let app = test::init_service(routes::documented(App::new(), BuildConfig::default())).await;
    let request = test::TestRequest::get()
        .uri(routes::DOCUMENT_PATH)
        .to_request();
    let document: serde_json::Value = test::call_and_read_body_json(&app, request).await;
    format!("{document:#}\n")
}
