//! What tests share: a database each, a service each, over a socket.

#![expect(clippy::panic, reason = "a test that cannot go on says so")]

mod answer;
mod app;
mod database;
pub mod fuzz;
mod redis;
mod relay;

pub use answer::Answer;
pub use app::{Peer, TestApp, TestAppBuilder};
pub use database::{Backend, TestDatabase, redis_url};
pub use fuzz::fuzz;
pub use redis::TestRedis;
pub use relay::Relay;
