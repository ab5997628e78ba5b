//! Black-box tests of the REST API, over HTTP.

#![expect(clippy::panic, reason = "a test that cannot continue panics")]

mod bad_requests;
mod cache;
mod common;
mod concurrency;
mod documents;
mod metric_types;
mod openapi;
mod operation;
mod parity;
mod queries;
mod replicas;
mod resilience;
mod sessions;
