//! One suite for every implementation of the ports: in memory, on PostgreSQL, on TimescaleDB.

mod aggregates;
mod appends;
mod metric_types;
mod scans;
mod sessions;
mod stores;
