//! All routes. Paths end in a slash, which clients may omit.

use actix_web::dev::{ServiceFactory, ServiceRequest};
use actix_web::{App, Error, HttpRequest, HttpResponse, Route, web as plain};
use apistos::app::{BuildConfig, OpenApiWrapper};
use apistos::web::{delete, get, post, put, resource};
use time_series_domain::text::echo;

use crate::problem::{Code, Problem};
use crate::{health, metric_type, openapi, points, query, session};

/// Path of the OpenAPI document that apistos generates from the routes, if `build` enables it.
pub(crate) const DOCUMENT_PATH: &str = "/openapi.json";

/// Adds the routes that the OpenAPI document describes.
pub(crate) fn documented<T>(app: App<T>, build: BuildConfig) -> App<T>
where
    T: ServiceFactory<ServiceRequest, Config = (), Error = Error, InitError = ()>,
{
    app.document(openapi::spec())
        .service(
            resource("/api/sessions/")
                .route(post().to(session::post_session))
                .route(get().to(session::list_sessions))
                .default_service(only("GET, HEAD, POST")),
        )
        .service(
            resource("/api/sessions/bulk/")
                .route(post().to(session::post_bulk))
                .default_service(only("POST")),
        )
        .service(
            resource("/api/sessions/{session_id}/")
                .route(get().to(session::get_session))
                .route(put().to(session::put_session))
                .route(delete().to(session::delete_session))
                .default_service(only("GET, HEAD, PUT, DELETE")),
        )
        .service(
            resource("/api/sessions/{session_id}/points/")
                .route(get().to(points::get_session_points))
                .route(post().to(session::append_points))
                .default_service(only("GET, HEAD, POST")),
        )
        .service(
            resource("/api/points/")
                .route(get().to(points::get_points))
                .default_service(only("GET, HEAD")),
        )
        .service(
            resource("/api/latest/")
                .route(get().to(points::latest))
                .default_service(only("GET, HEAD")),
        )
        .service(
            resource("/api/catalog/")
                .route(get().to(points::catalog))
                .default_service(only("GET, HEAD")),
        )
        .service(
            resource("/api/timeseries/")
                .route(get().to(query::timeseries))
                .route(post().to(query::post_timeseries))
                .default_service(only("GET, HEAD, POST")),
        )
        .service(
            resource("/api/metrictypes/")
                .route(get().to(metric_type::list_metric_types))
                .route(post().to(metric_type::create_metric_type))
                .default_service(only("GET, HEAD, POST")),
        )
        .service(
            resource("/api/metrictypes/{series}/")
                .route(get().to(metric_type::get_metric_type))
                .route(put().to(metric_type::update_metric_type))
                .route(delete().to(metric_type::delete_metric_type))
                .default_service(only("GET, HEAD, PUT, DELETE")),
        )
        .service(
            resource("/health/live/")
                .route(get().to(health::live))
                .default_service(only("GET, HEAD")),
        )
        .service(
            resource("/health/ready/")
                .route(get().to(health::ready))
                .default_service(only("GET, HEAD")),
        )
        .build_with(DOCUMENT_PATH, build)
}

/// Adds the routes that the OpenAPI document does not describe.
pub(crate) fn undocumented(config: &mut plain::ServiceConfig) {
    let page = |path, handler: Route| {
        plain::resource(path)
            .route(handler)
            .default_service(only("GET, HEAD"))
    };
    config
        .service(page("/schema/", plain::get().to(openapi::schema)))
        .service(page("/redoc/", plain::get().to(openapi::redoc)))
        .service(page(
            "/redoc/redoc.standalone.js/",
            plain::get().to(openapi::redoc_script),
        ))
        .service(page("/metrics/", plain::get().to(health::metrics)));
}

/// Responds to unknown paths.
pub(crate) async fn not_found(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let detail = format!(
        "The path {} does not exist. GET /schema/ or /redoc/ lists the paths.",
        echo(request.path())
    );
    Err(Problem::new(Code::NoSuchPath, detail))
}

/// Responds to methods other than those in `allowed`.
fn only(allowed: &'static str) -> Route {
    plain::to(move |request: HttpRequest| async move {
        let detail = format!(
            "{} supports the methods {allowed}, not {}.",
            echo(request.path()),
            echo(request.method().as_str())
        );
        Err::<HttpResponse, Problem>(Problem::new(Code::MethodNotAllowed, detail).allow(allowed))
    })
}
