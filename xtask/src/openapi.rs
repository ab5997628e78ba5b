//! `cargo xtask openapi`

use anyhow::Context;
use clap::Args;
use time_series_devkit::cargo::root;
use time_series_devkit::progress::say;

/// The committed document.
const FILE: &str = "docs/openapi.json";

/// Writes docs/openapi.json from the routes.
#[derive(Args)]
pub(crate) struct Openapi {
    /// Fail if the file is not up to date, and write nothing.
    #[arg(long)]
    pub(crate) check: bool,
}

impl Openapi {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let document = time_series_api::openapi::document().await;
        let file = root().join(FILE);
        if self.check {
            let committed =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {FILE}"))?;
            anyhow::ensure!(
                committed == document,
                "{FILE} is not up to date: run `cargo xtask openapi` and commit it"
            );
            return Ok(());
        }
        std::fs::write(&file, document).with_context(|| format!("cannot write {FILE}"))?;
        say(format!("wrote {FILE}"));
        Ok(())
    }
}
