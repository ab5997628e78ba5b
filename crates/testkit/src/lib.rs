//! Shared test support: databases, services over sockets, Redis, relays and fuzzing.

#![expect(clippy::panic, reason = "a test that cannot continue panics")]

mod app;
mod compression;
mod database;
mod encoded;
pub mod fuzz;
mod instance;
mod redis;
mod relay;
mod replica_pair;
mod response;

pub use app::{TestApp, TestAppBuilder};
pub use compression::{gzip, zstd};
pub use database::{Backend, TestDatabase, redis_url};
pub use encoded::encoded_session;
pub use fuzz::fuzz;
pub use instance::ServiceInstance;
pub use redis::TestRedis;
pub use relay::Relay;
pub use replica_pair::{Node, ReplicaPair};
pub use response::{Fault, Metadata, Problem, Receipt, Response, Row};

/// The former name of [`Response`], for the oracle.
pub type Answer = Response;
