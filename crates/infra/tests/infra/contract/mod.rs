//! One contract suite for every implementation of the ports: memory, PostgreSQL and TimescaleDB.

mod aggregates;
mod appends;
mod metric_type_changes;
mod metric_types;
mod scans;
mod sessions;
mod stores;
