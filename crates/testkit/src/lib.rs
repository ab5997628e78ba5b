//! What tests share: a database each, a service each, over a socket.

mod app;
mod database;

pub use app::{Answer, TestApp, TestAppBuilder};
pub use database::{Backend, TestDatabase, redis_url};
