//! What tests share: a database each, a service each, over a socket.

#![expect(clippy::panic, reason = "a test that cannot continue panics")]

mod app;
mod database;
pub mod fuzz;
mod peer;
mod redis;
mod relay;
mod replicated;
mod response;

pub use app::{TestApp, TestAppBuilder};
pub use database::{Backend, TestDatabase, redis_url};
pub use fuzz::fuzz;
pub use peer::Peer;
pub use redis::TestRedis;
pub use relay::Relay;
pub use replicated::{Node, Replicated};
pub use response::{Fault, Metadata, Problem, Receipt, Response, Row};

/// The former name of [`Response`], for the oracle.
pub type Answer = Response;
