//! One suite for every implementation of the ports: in memory, on PostgreSQL, on TimescaleDB.

mod aggregates;
mod metric_types;
mod sessions;
mod stores;
