//! Attacks on the service in a process of its own, while a well-behaved user continues to work.

#![expect(clippy::panic, reason = "a test that cannot go on says so")]

mod bodies;
mod client;
mod compression;
mod request_heads;
mod responses;
mod service;
mod signals;
mod values;
