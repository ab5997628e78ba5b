//! `cargo xtask migrate`

use std::path::PathBuf;

use clap::Args;
use time_series_dev_servers::Database;

/// Applies the missing migrations to the database of `DATABASE_URL`, or else to the private one.
#[derive(Args)]
pub(crate) struct Migrate {
    /// Folder of the private database [default: .local].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Migrate {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        Database::provide(self.data_dir.as_deref())
            .await?
            .migrate()
            .await
    }
}
