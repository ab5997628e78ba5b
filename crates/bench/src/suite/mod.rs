//! `cargo xtask bench`: measures the service over HTTP, beside plain SQL on plain rows.

mod cpu;
mod docs;
mod environment;
mod figure;
mod hostile;
mod ingest;
mod memory;
mod options;
mod peers;
mod queries;
mod report;
mod run;
mod statistics;
mod storage;

pub use options::Bench;
