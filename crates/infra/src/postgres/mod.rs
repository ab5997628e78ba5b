//! The stores on PostgreSQL, plain or with TimescaleDB.

mod block_reader;
mod block_rows;
mod chunks;
mod connect;
mod connections;
mod error;
mod ingest;
mod metric_type;
mod migrate;
mod pipeline;
mod pool;
mod query;
mod secret;
mod session;
mod transaction;
mod with_replica;

pub use connections::AllowedConnections;
pub use ingest::PgSessionStore;
pub use metric_type::PgMetricTypeStore;
pub use migrate::{MigrateError, Migrated, migrate, migrate_url};
pub use pool::{PoolUsage, Postgres, PostgresConfig, PostgresUrlError, PostgresUsage, ServerRole};
pub use with_replica::WithReplica;

#[cfg(test)]
mod tests {
    use time_series_testkit::{Backend, TestDatabase};

    use super::{ingest, metric_type, query, session};

    const STATEMENTS: &[&str] = &[
        include_str!("allowed_connections.sql"),
        include_str!("create_chunk.sql"),
        include_str!("heartbeat_commit.sql"),
        include_str!("has_timescaledb.sql"),
        include_str!("last_migration.sql"),
        include_str!("migration_unlock.sql"),
        include_str!("read_secret.sql"),
        include_str!("replica_lag.sql"),
        include_str!("timescaledb_version.sql"),
        include_str!("try_migration_lock.sql"),
    ];

    #[tokio::test]
    async fn every_statement_can_be_prepared() {
        for backend in Backend::ALL {
            let database = TestDatabase::new(backend).await;
            let client = database.connect().await;
            let all = [
                STATEMENTS,
                ingest::STATEMENTS,
                metric_type::STATEMENTS,
                query::STATEMENTS,
                session::STATEMENTS,
            ];
            for statement in all.into_iter().flatten() {
                let prepared = client.prepare(statement).await;
                prepared.unwrap_or_else(|e| panic!("{e:?}\n{statement}"));
            }
        }
    }
}
