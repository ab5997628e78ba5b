//! One suite for every implementation of the ports: in memory, on PostgreSQL, on TimescaleDB.

#![expect(clippy::panic, reason = "a test that cannot go on says so")]

mod aggregates;
mod appends;
mod metric_types;
mod scans;
mod sessions;
mod stores;
