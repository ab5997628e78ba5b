//! `cargo xtask stress`: the stress test of the original system, over HTTP.

mod command;
mod queries;
mod report;

pub use command::Stress;
