//! The REST surface: extract and parse, call a use case, answer.

pub mod config;
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
mod routes;
mod server;
mod session;
mod state;
mod telemetry;
mod wiring;
mod work;

pub use net::TrustedProxies;
pub use reads::ReplicaReads;
pub use server::{Server, StartError};
pub use state::NotReady;
pub use telemetry::init_telemetry;
