//! Attacks on the service in a process of its own, while a well-behaved user continues to work.

mod bodies;
mod client;
mod compression;
mod request_heads;
mod responses;
mod service;
mod signals;
mod values;
