//! Settings of PostgreSQL.

use std::time::Duration;

use secrecy::SecretString;
use time_series_api::ReplicaReads;

use super::env::{ConfigError, Env};

/// Settings of PostgreSQL.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// `DATABASE_URL` (required): connection string of the primary,
    /// `postgresql://user:password@host:port/database`.
    pub url: SecretString,
    /// `DATABASE_READ_URL` (default none): connection string of replicas that serve reads.
    pub read_url: Option<SecretString>,
    /// `REPLICA_READS` (default `versioned`): reads that replicas serve, `versioned` (those with
    /// `min_version`) or `all`.
    pub replica_reads: ReplicaReads,
    /// `DATABASE_CONNECTIONS` (default `16`): maximum number of connections, without those of the
    /// write queue.
    pub connections: usize,
    /// `DATABASE_ACQUIRE_TIMEOUT_MS` (default `5000`): maximum wait for a free connection, for a
    /// query permit and for a lock.
    pub acquire_timeout: Duration,
    /// `STATEMENT_TIMEOUT_MS` (default `30000`): maximum time of a statement.
    pub statement_timeout: Duration,
}

impl DatabaseConfig {
    pub(super) fn read(env: &Env) -> Result<Self, ConfigError> {
        let expected = "set a URL such as postgresql://user:password@127.0.0.1:5432/database \
                        (`cargo xtask up` needs none)";
        let replica_reads = match env.keyword("REPLICA_READS", &["versioned", "all"])? {
            0 => ReplicaReads::Versioned,
            _ => ReplicaReads::All,
        };
        Ok(Self {
            url: env.required("DATABASE_URL", expected)?.into(),
            read_url: env.text("DATABASE_READ_URL").map(SecretString::from),
            replica_reads,
            connections: env.positive("DATABASE_CONNECTIONS", 16)?,
            acquire_timeout: env.milliseconds("DATABASE_ACQUIRE_TIMEOUT_MS", 5_000)?,
            statement_timeout: env.milliseconds("STATEMENT_TIMEOUT_MS", 30_000)?,
        })
    }
}
