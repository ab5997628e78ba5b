//! Requests that are meant to stop the service, sent to the service as it is run, while a well-behaved user goes on.

#![expect(clippy::panic, reason = "a test that cannot go on says so")]

mod answers;
mod bodies;
mod client;
mod heads;
mod packed;
mod service;
mod signals;
mod values;
