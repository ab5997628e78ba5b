//! `cargo xtask tidy`: what CI checks besides the tests.

mod arrows;
mod files;
mod supply;
mod tools;

use clap::Args;

use crate::cargo::{cargo, run};
use crate::openapi::Openapi;
use crate::progress::{Step, say};

/// Checks format, lints, docs, arrows between crates, generated files, and bans, licences and sources of
/// dependencies; advisories and containers where the tools for that are installed.
#[derive(Args)]
pub(crate) struct Tidy {
    /// Format the code instead of complaining about it.
    #[arg(long)]
    fix: bool,
}

impl Tidy {
    pub(crate) async fn run(&self) -> anyhow::Result<()> {
        if self.fix {
            run(&mut cargo(["fmt", "--all"]))?;
        }
        check("format", || run(&mut cargo(["fmt", "--all", "--check"])))?;
        check("files", files::check)?;
        check("arrows between crates", arrows::check)?;
        check("bans, licences and sources of dependencies", supply::check)?;
        check("lints", || {
            run(&mut cargo([
                "clippy",
                "--workspace",
                "--all-targets",
                "--quiet",
                "--",
                "-D",
                "warnings",
            ]))
        })?;
        check("build without columnar formats", || {
            run(&mut cargo([
                "check",
                "--package",
                "time-series-api",
                "--lib",
                "--no-default-features",
                "--quiet",
            ]))
        })?;
        check("docs", || {
            run(cargo([
                "doc",
                "--workspace",
                "--no-deps",
                "--document-private-items",
                "--quiet",
            ])
            .env("RUSTDOCFLAGS", "-D warnings"))
        })?;
        let step = Step::start("docs/openapi.json");
        Openapi { check: true }.run().await?;
        step.done("as it should be");
        tools::check()?;
        say("tidy");
        Ok(())
    }
}

fn check(what: &str, check: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let step = Step::start(what);
    check()?;
    step.done("as it should be");
    Ok(())
}
