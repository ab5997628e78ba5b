//! The HTTP server: connections, middlewares, routes.

use std::future::ready;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::{AppConfig, ServerHandle};
use actix_web::rt::net::TcpStream;
use actix_web::{App, middleware, web};
use apistos::app::BuildConfig;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::net::{Acceptor, ClientConnection, http_semantics};
use crate::request::check_origin;
use crate::request_log;
use crate::routes;
use crate::settings::Settings;
use crate::state::{AppState, UseCases};

/// Maximum time to receive the head of a request. It is generous because a busy worker reads late.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// Time that a connection, and the work of its request, continues after the client has gone.
///
/// At least 500 ms: the clock of actix-http is up to 500 ms behind, and a timer that has expired
/// when it is set never closes the connection.
const LINGER: Duration = Duration::from_secs(1);
/// Maximum number of connections that wait to be accepted. The standard library requests 128.
const BACKLOG: i32 = 4_096;

/// A running HTTP server.
pub struct HttpServer {
    address: SocketAddr,
    running: actix_web::dev::Server,
}

impl HttpServer {
    /// Binds the address and starts to serve.
    ///
    /// # Errors
    /// The address cannot be bound, or threads cannot be started.
    pub fn start(
        bind: SocketAddr,
        use_cases: UseCases,
        settings: Settings,
        metrics: PrometheusHandle,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(bind)?;
        // A connection that meets a full backlog is retried only after a second.
        rustix::net::listen(&listener, BACKLOG)?;
        let address = listener.local_addr()?;
        let http = settings.clone();
        let state = AppState::new(use_cases, settings, metrics)?;
        let running = run(listener, web::Data::new(state), &http)?;
        Ok(Self { address, running })
    }

    /// Returns the bound address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns a handle that stops the server.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.running.handle()
    }

    /// Serves until [`Self::handle`] stops the server, then finishes the requests in progress.
    ///
    /// # Errors
    /// The sockets failed.
    pub async fn run_until_stopped(self) -> std::io::Result<()> {
        self.running.await
    }
}

/// Serves HTTP/1.1. Connections are limited in number and speed.
fn run(
    listener: TcpListener,
    state: web::Data<AppState>,
    settings: &Settings,
) -> std::io::Result<actix_web::dev::Server> {
    let acceptor = Acceptor::new(settings.net.clone());
    let builder = actix_server::Server::build();
    let stop = builder.graceful_shutdown_signal();
    let app = move || {
        let api = routes::documented(
            App::new().app_data(state.clone()),
            BuildConfig::default().disable_openapi_route(),
        );
        // The last middleware is the outermost.
        api.configure(routes::undocumented)
            .default_service(web::to(routes::not_found))
            .wrap(middleware::from_fn(check_origin))
            .wrap(middleware::from_fn(request_log::measure))
            .wrap(tracing_actix_web::TracingLogger::<request_log::RequestSpan>::new())
            .wrap(middleware::NormalizePath::new(
                middleware::TrailingSlash::Always,
            ))
            .wrap(middleware::Compress::default())
            .wrap(middleware::from_fn(http_semantics))
    };
    let connections = move || {
        let acceptor = acceptor.clone();
        let stop = stop.clone();
        let accept = fn_service(move |io: TcpStream| {
            let accepted = acceptor.accept(io).ok_or(DispatchError::DisconnectTimeout);
            ready(accepted.map(|connection| {
                let address = connection.peer_socket();
                (connection, address)
            }))
        });
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stop = stop.clone();
                async move { stop.notified().await }
            })
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(LINGER)
            .on_connect_ext(ClientConnection::attach)
            .h1(map_config(
                app()
                    .into_factory()
                    .map_err(|e: actix_web::Error| e.error_response()),
                |()| AppConfig::default(),
            ));
        accept.and_then(http)
    };
    let server = builder
        .workers(settings.workers)
        .shutdown_timeout(settings.shutdown.as_secs())
        .disable_signals()
        .listen("http", listener, connections)?
        .run();
    Ok(server)
}
