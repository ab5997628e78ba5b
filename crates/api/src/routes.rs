//! Every route on one page. Paths end in a slash here; clients may leave it out.

use actix_web::dev::{ServiceFactory, ServiceRequest};
use actix_web::{App, Error, HttpRequest, HttpResponse, web as plain};
use apistos::app::{BuildConfig, OpenApiWrapper};
use apistos::web::{delete, get, post, put, resource};

use crate::problem::{Code, Problem};
use crate::{health, metric_type, openapi, query, session};

/// Where the document that is made of these routes can be had, if `build` says so.
pub(crate) const DOCUMENT_PATH: &str = "/openapi.json";

/// What is in the OpenAPI document.
pub(crate) fn documented<T>(app: App<T>, build: BuildConfig) -> App<T>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    app.document(openapi::spec())
        .service(
            resource("/api/sessions/")
                .route(post().to(session::post_session))
                .route(get().to(session::list_sessions))
                .default_service(plain::to(method_not_allowed)),
        )
        .service(
            resource("/api/sessions/{session_id}/")
                .route(get().to(session::get_session))
                .route(put().to(session::put_session))
                .route(delete().to(session::delete_session))
                .default_service(plain::to(method_not_allowed)),
        )
        .service(
            resource("/api/timeseries/")
                .route(get().to(query::timeseries))
                .default_service(plain::to(method_not_allowed)),
        )
        .service(
            resource("/api/metrictypes/")
                .route(get().to(metric_type::list_metric_types))
                .route(post().to(metric_type::create_metric_type))
                .default_service(plain::to(method_not_allowed)),
        )
        .service(
            resource("/api/metrictypes/{series}/")
                .route(get().to(metric_type::get_metric_type))
                .route(put().to(metric_type::update_metric_type))
                .route(delete().to(metric_type::delete_metric_type))
                .default_service(plain::to(method_not_allowed)),
        )
        .service(resource("/health/live/").route(get().to(health::live)))
        .service(resource("/health/ready/").route(get().to(health::ready)))
        .build_with(DOCUMENT_PATH, build)
}

/// What people and machines find besides.
pub(crate) fn undocumented(config: &mut plain::ServiceConfig) {
    config
        .route("/schema/", plain::get().to(openapi::schema))
        .route("/redoc/", plain::get().to(openapi::redoc))
        .route("/redoc/redoc.standalone.js/", plain::get().to(openapi::redoc_script))
        .route("/metrics/", plain::get().to(health::metrics));
}

/// For paths that are not on this page.
pub(crate) async fn not_found(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let detail = format!("There is nothing at {}. GET /schema/ or /redoc/ lists what there is.", request.path());
    Err(Problem::new(Code::NoSuchPath, detail))
}

async fn method_not_allowed(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let detail =
        format!("{} does not take {}. GET /schema/ or /redoc/ lists what it takes.", request.path(), request.method());
    Err(Problem::new(Code::MethodNotAllowed, detail))
}
