//! `cargo xtask tidy`

use clap::Args;
use time_series_devkit::progress::{Step, say};
use time_series_tidy::Options;

use crate::openapi::Openapi;

/// Checks format, lints, docs, layers, module cycles, generated files and dependencies.
///
/// CI runs this besides the tests. Advisories and docker-compose.yml are checked only if cargo-deny
/// and docker compose are installed.
#[derive(Args)]
pub(crate) struct Tidy {
    /// Format the code instead of reporting wrong format.
    #[arg(long)]
    fix: bool,
    /// Print every arrow between modules and between files, and check nothing else.
    #[arg(long)]
    graph: bool,
    /// Write the present module cycles to `crates/tidy/known_cycles.toml`, and check nothing else.
    #[arg(long)]
    accept_cycles: bool,
}

impl Tidy {
    pub(crate) async fn run(&self) -> anyhow::Result<()> {
        if self.graph {
            return time_series_tidy::print_graph();
        }
        if self.accept_cycles {
            return time_series_tidy::accept_cycles();
        }
        let step = Step::start("docs/openapi.json");
        Openapi { check: true }.run().await?;
        step.done("ok");
        time_series_tidy::check(&Options { fix: self.fix })?;
        say("tidy");
        Ok(())
    }
}
