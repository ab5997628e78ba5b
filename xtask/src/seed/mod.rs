//! `cargo xtask seed`

mod demo;
mod metric_types;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use time_series_infra::postgres::{
    PgMetricTypeStore, PgSessionStore, Postgres, PostgresConfig, ServerRole,
};

use crate::database::Database;

pub(crate) use demo::DEMO_USER;

/// Stores the metric types of the original system, and if asked a demo user. What is there already stays.
#[derive(Args)]
pub(crate) struct Seed {
    /// Also a demo user with six weeks of sessions.
    #[arg(long)]
    demo: bool,
    /// Where the embedded default keeps its data [default: .local].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Seed {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let database = Database::provide(self.data_dir.as_deref()).await?;
        seed(database.url(), self.demo).await
    }
}

/// Seeds the database of that URL.
pub(crate) async fn seed(url: &str, with_demo: bool) -> anyhow::Result<()> {
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
    metric_types::seed(metric_types.as_ref()).await?;
    if with_demo {
        demo::seed(Arc::new(PgSessionStore::new(postgres)), metric_types).await?;
    }
    Ok(())
}
