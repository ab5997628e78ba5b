//! The REST surface: handlers extract and parse a request, call a use case, and render its result.

mod format;
mod health;
mod instruments;
mod metric_type;
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

pub use instruments::{describe as describe_metrics, recorder as metrics_recorder};
pub use net::TrustedProxies;
pub use reads::{ReadSources, Reads, ReplicaReads};
pub use server::HttpServer;
pub use settings::{Admins, AllowedHosts, NetSettings, Settings};
pub use state::{DatabaseUsage, Heartbeat, NotReady, Readiness, UseCases};
