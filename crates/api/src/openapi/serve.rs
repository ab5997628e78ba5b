//! Serves the OpenAPI document and ReDoc, both embedded in the binary.

use std::sync::OnceLock;

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, VARY};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::problem::Problem;
use crate::request::{Choice, FromQuery, Parameter, QueryParams, QueryString};

const JSON: &str = include_str!("../../../../docs/openapi.json");
const PAGE: &str = include_str!("../../assets/redoc.html");
const SCRIPT: &str = include_str!("../../assets/redoc/redoc.standalone.js");

static IS_YAML: Choice<bool> = Choice::new(
    "format",
    &[("json", false), ("yaml", true)],
    "`json` or `yaml`; alternatively the header `Accept`.",
);

/// Parameters of `GET /schema/`.
pub(crate) struct SchemaParams {
    yaml: Option<bool>,
}

impl FromQuery for SchemaParams {
    type Parsed = Self;

    const PARAMETERS: &'static [&'static dyn Parameter] = &[&IS_YAML];

    fn from_query(params: &mut QueryParams) -> Self {
        Self {
            yaml: IS_YAML.read(params),
        }
    }
}

/// `GET /schema/`
pub(crate) async fn schema(
    request: HttpRequest,
    QueryString(params): QueryString<SchemaParams>,
) -> Result<HttpResponse, Problem> {
    let accept = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let yaml = params
        .yaml
        .unwrap_or_else(|| accept.contains("yaml") && !accept.contains("json"));
    let mut response = HttpResponse::Ok();
    response.insert_header((VARY, "Accept"));
    Ok(if yaml {
        response
            .content_type("application/yaml; charset=utf-8")
            .body(as_yaml())
    } else {
        response.content_type("application/json").body(JSON)
    })
}

fn as_yaml() -> &'static str {
    static YAML: OnceLock<String> = OnceLock::new();
    YAML.get_or_init(|| {
        let document: serde_json::Value = serde_json::from_str(JSON).unwrap_or_default();
        serde_saphyr::to_string(&document).unwrap_or_default()
    })
}

/// `GET /redoc/`
pub(crate) async fn redoc() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(PAGE)
}

/// `GET /redoc/redoc.standalone.js/`
pub(crate) async fn redoc_script() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((CACHE_CONTROL, "public, max-age=86400"))
        .body(web::Bytes::from_static(SCRIPT.as_bytes()))
}
