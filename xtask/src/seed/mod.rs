//! `cargo xtask seed`

mod demo;

use std::path::PathBuf;

use clap::Args;
use time_series_dev_servers::{Database, open_store, seed_metric_types};

pub(crate) use demo::DEMO_USER;

/// Stores the metric types of the original system, and optionally a demo user.
///
/// Existing metric types and sessions stay as they are.
#[derive(Args)]
pub(crate) struct Seed {
    /// Also store a demo user with six weeks of sessions.
    #[arg(long)]
    demo: bool,
    /// Folder of the private database [default: .local].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Seed {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let database = Database::provide(self.data_dir.as_deref()).await?;
        seed(database.url(), self.demo).await
    }
}

/// Seeds the database at `url`.
pub(crate) async fn seed(url: &str, with_demo: bool) -> anyhow::Result<()> {
    let store = open_store(url)?;
    seed_metric_types(store.as_ref()).await?;
    if with_demo {
        demo::seed(store).await?;
    }
    Ok(())
}
