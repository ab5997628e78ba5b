//! Requests that are meant to stop the service, sent to the service as it is run, while a well-behaved user goes on.

mod answers;
mod bodies;
mod client;
mod compression;
mod heads;
mod service;
mod signals;
mod values;
