//! `cargo xtask seed`

use std::path::PathBuf;

use clap::Args;

use time_series_dev_servers::Database;
use time_series_devkit::progress::say;

pub(crate) use time_series_server::DEMO_USER;

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

/// Seeds the database of a URL and prints the result.
pub(crate) async fn seed(url: &str, demo: bool) -> anyhow::Result<()> {
    let seeded = time_series_server::seed(url, demo).await?;
    say(format!("seeded {} metric types", seeded.metric_types));
    if demo {
        say(format!(
            "seeded {} sessions with {} points of user {DEMO_USER}",
            seeded.sessions, seeded.points
        ));
    }
    Ok(())
}
