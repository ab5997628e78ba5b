//! What tests share: a database each, a service each, over a socket.

#![expect(clippy::panic, reason = "a test that cannot go on says so")]

mod answer;
mod app;
mod database;
mod encoded;
pub mod fuzz;
mod peer;
mod redis;
mod relay;
mod replicated;

pub use answer::Answer;
pub use app::{TestApp, TestAppBuilder};
pub use database::{Backend, TestDatabase, redis_url};
pub use encoded::encoded_session;
pub use fuzz::fuzz;
pub use peer::Peer;
pub use redis::TestRedis;
pub use relay::Relay;
pub use replicated::{Node, Replicated};
