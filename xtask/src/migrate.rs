//! `cargo xtask migrate`

use std::path::PathBuf;

use clap::Args;

use crate::database::Database;

/// Applies the migrations that the database of `DATABASE_URL` lacks; without one, that of the embedded default.
#[derive(Args)]
pub(crate) struct Migrate {
    /// Where the embedded default keeps its data [default: .local].
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
