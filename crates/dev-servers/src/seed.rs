//! Stores the metric types of the original system.

use std::sync::Arc;
use std::time::Duration;

use time_series_devkit::progress::say;
use time_series_domain::ports::{ChangeError, MetricTypeStore};
use time_series_infra::postgres::{Postgres, PostgresConfig, ServerRole};

use crate::metric_types::definitions;

/// Opens the store of the database at `url`, with settings for a tool.
///
/// # Errors
/// The URL is invalid.
pub fn open_store(url: &str) -> anyhow::Result<Arc<Postgres>> {
    let store = Postgres::new(&PostgresConfig {
        url: url.to_owned(),
        connections: 4,
        wait: Duration::from_secs(10),
        statement_timeout: Duration::from_mins(1),
        longest_write_wait: Duration::from_mins(1),
        waiting_bytes: 64 << 20,
        role: ServerRole::Primary,
    })?;
    Ok(Arc::new(store))
}

/// Stores the metric types of the original system that are missing.
///
/// # Errors
/// The store fails.
pub async fn seed_metric_types(store: &dyn MetricTypeStore) -> anyhow::Result<()> {
    let mut created = 0;
    for definition in definitions()? {
        match store.create(&definition).await {
            Ok(_) => created += 1,
            Err(ChangeError::Exists) => {}
            Err(e) => return Err(e.into()),
        }
    }
    say(format!("seeded {created} metric types"));
    Ok(())
}
