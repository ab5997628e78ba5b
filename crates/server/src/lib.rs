//! The service: settings, wiring, telemetry and the start of the HTTP server.

pub mod config;
mod heartbeat;
mod seed;
mod server;
mod telemetry;
mod wiring;

pub use seed::{DEMO_USER, Seeded, seed};
pub use server::{Server, StartError, check};
pub use telemetry::init as init_telemetry;
