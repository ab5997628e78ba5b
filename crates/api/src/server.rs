//! Starts and stops the HTTP server.

use std::future::ready;
use std::net::{SocketAddr, TcpListener};
use std::sync::OnceLock;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::{AppConfig, ServerHandle};
use actix_web::rt::net::TcpStream;
use actix_web::{App, middleware, web};
use apistos::app::BuildConfig;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::config::{Config, ConfigError, HttpConfig};
use crate::instruments;
use crate::net::{Acceptor, ClientConnection, http_semantics};
use crate::request::check_origin;
use crate::routes;
use crate::state::{AppState, NotReady};
use crate::telemetry;
use crate::wiring::wire;

/// So long a request's head may take to come; a worker that checks a large session reads nothing meanwhile.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// A connection whose client has left is kept for so long, and with it what its request is doing.
///
/// Not under 500 ms: actix-http counts from a clock that is up to so much behind, and a timer that is over when it is set
/// never ends the connection.
const LINGER: Duration = Duration::from_secs(1);
/// Connections that may wait to be accepted; the standard library asks for 128.
const BACKLOG: i32 = 4_096;
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// A running service.
pub struct Server {
    address: SocketAddr,
    running: actix_web::dev::Server,
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}")]
    Bind(SocketAddr, #[source] std::io::Error),
    /// The database is not as this program needs it.
    #[error(transparent)]
    NotReady(#[from] NotReady),
}

impl Server {
    /// Listens. The database may still be on its way up, but if it answers it must have our tables.
    ///
    /// # Errors
    /// [`StartError`] with a sentence for the operator.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let state = wire(&config, metrics_handle())?;
        check_readiness(&state).await?;
        keep_metrics_small(metrics_handle());
        let bind = config.http.bind;
        let listener = TcpListener::bind(bind).map_err(|e| StartError::Bind(bind, e))?;
        // Where many connect at once, one that finds the queue full is tried again only a second later.
        rustix::net::listen(&listener, BACKLOG).map_err(|e| StartError::Bind(bind, e.into()))?;
        let address = listener
            .local_addr()
            .map_err(|e| StartError::Bind(bind, e))?;
        let running = run(listener, web::Data::new(state), &config.http)
            .map_err(|e| StartError::Bind(bind, e))?;
        Ok(Self { address, running })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stops it, from wherever.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.running.handle()
    }

    /// Serves until a signal or [`Self::handle`] asks for a stop; then finishes what is under way.
    ///
    /// # Errors
    /// When the sockets fail.
    pub async fn run_until_stopped(self) -> std::io::Result<()> {
        self.running.await
    }
}

/// HTTP/1.1 on connections that have limits of their own.
fn run(
    listener: TcpListener,
    state: web::Data<AppState>,
    http: &HttpConfig,
) -> std::io::Result<actix_web::dev::Server> {
    let acceptor = Acceptor::new(http.net.limits());
    let builder = actix_server::Server::build();
    let stop = builder.graceful_shutdown_signal();
    let app = move || {
        let api = routes::documented(
            App::new().app_data(state.clone()),
            BuildConfig::default().disable_openapi_route(),
        );
        // In order of request: the last is the outermost.
        api.configure(routes::undocumented)
            .default_service(web::to(routes::not_found))
            .wrap(middleware::from_fn(check_origin))
            .wrap(middleware::from_fn(telemetry::measure))
            .wrap(tracing_actix_web::TracingLogger::<telemetry::RequestSpan>::new())
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
            .on_connect_ext(ClientConnection::remember)
            .h1(map_config(
                app()
                    .into_factory()
                    .map_err(|e: actix_web::Error| e.error_response()),
                |()| AppConfig::default(),
            ));
        accept.and_then(http)
    };
    let server = builder
        .workers(http.workers)
        .shutdown_timeout(http.shutdown.as_secs())
        .disable_signals()
        .listen("http", listener, connections)?
        .run();
    Ok(server)
}

/// A database that does not answer may come yet; one that answers must have our tables.
async fn check_readiness(state: &AppState) -> Result<(), NotReady> {
    match state.readiness.check().await {
        Err(NotReady::Unreachable) => {
            tracing::warn!(
                "the database of DATABASE_URL cannot be reached yet; not ready until it can"
            );
            Ok(())
        }
        result => result,
    }
}

/// Samples are merged from time to time, also when nobody reads them.
fn keep_metrics_small(metrics: PrometheusHandle) {
    actix_web::rt::spawn(async move {
        let mut interval = actix_web::rt::time::interval(METRICS_UPKEEP);
        loop {
            interval.tick().await;
            metrics.run_upkeep();
        }
    });
}

/// One recorder a process, also when tests start several servers in it.
fn metrics_handle() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let recorder = instruments::recorder().expect("each kind of metric has buckets");
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).ok(); // set before: by a test beside this one
        instruments::describe();
        handle
    };
    HANDLE.get_or_init(install).clone()
}
