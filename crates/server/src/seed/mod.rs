//! Seeding: the metric types of the original system, and a demo user.

mod demo;
mod metric_types;

use std::sync::Arc;
use std::time::Duration;

use time_series_infra::postgres::{
    PgMetricTypeStore, PgSessionStore, Postgres, PostgresConfig, ServerRole,
};

pub use demo::DEMO_USER;

/// Result of seeding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Number of created metric types.
    pub metric_types: usize,
    /// Number of sessions of the demo user.
    pub sessions: u64,
    /// Number of points in these sessions.
    pub points: u64,
}

/// Creates the metric types of the original system and, with `demo`, the sessions of a demo user.
/// Existing metric types and sessions are kept.
///
/// # Errors
/// The database cannot be reached or rejects a write.
pub async fn seed(url: &str, demo: bool) -> anyhow::Result<Seeded> {
    let postgres = Postgres::new(&PostgresConfig {
        url: url.to_owned(),
        connections: 4,
        wait: Duration::from_secs(10),
        statement_timeout: Duration::from_mins(1),
        max_write_wait: Duration::from_mins(1),
        max_queued_bytes: 64 << 20,
        role: ServerRole::Primary,
    })?;
    let metric_types = Arc::new(PgMetricTypeStore::new(postgres.clone()));
    let created = metric_types::seed(metric_types.as_ref()).await?;
    let seeded = if demo {
        demo::seed(Arc::new(PgSessionStore::new(postgres)), metric_types).await?
    } else {
        Seeded::default()
    };
    Ok(Seeded {
        metric_types: created,
        ..seeded
    })
}
