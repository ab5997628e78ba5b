//! The stores on PostgreSQL, plain or with TimescaleDB.

mod block_rows;
mod chunks;
mod error;
mod ingest;
mod metric_type;
mod migrate;
mod pool;
mod query;
mod session;
mod transaction;
mod user_queue;

pub use migrate::{MigrateError, Migrated, migrate};
pub use pool::{Postgres, PostgresConfig, PostgresUrlError};
