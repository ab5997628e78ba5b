//! The REST API: each handler parses a request, calls a use case and renders the result.

mod format;
mod health;
mod metric_type;
mod metrics;
mod net;
pub mod openapi;
mod points;
mod problem;
mod query;
mod reads;
mod request;
mod request_log;
mod routes;
mod server;
mod session;
mod settings;
mod state;
mod work;

pub use self::metrics::{describe as describe_metrics, recorder as metrics_recorder};
pub use net::TrustedProxies;
pub use reads::{ReadSources, Reads, ReplicaReads};
pub use server::HttpServer;
pub use settings::{Admins, AllowedHosts, NetSettings, Settings};
pub use state::{DatabaseUsage, Heartbeat, NotReady, Readiness, UseCases};
