//! Checks of the workspace that no compiler makes.
//!
//! [`check`] runs them in this order: format, files, layers, module cycles, dependencies, lints,
//! builds, docs, and the checks of tools that a machine may not have.

mod files;
mod layers;
mod metadata;
mod modules;
mod step;
mod supply;
mod tools;

use time_series_devkit::cargo::{cargo, run};

use crate::step::step;

/// The options of [`check`].
pub struct Options {
    /// Format the code instead of reporting wrong format.
    pub fix: bool,
}

/// Runs every check.
///
/// # Errors
/// The first check that fails, with every violation that it found.
pub fn check(options: &Options) -> anyhow::Result<()> {
    if options.fix {
        run(&mut cargo(["fmt", "--all"]))?;
    }
    step("format", || run(&mut cargo(["fmt", "--all", "--check"])))?;
    step("files", files::check)?;
    step("layers", layers::check)?;
    step("module cycles", modules::check)?;
    step("bans, licences and sources of dependencies", supply::check)?;
    step("lints", lints)?;
    step("build without columnar formats", build_without_columnar)?;
    step("docs", docs)?;
    tools::check()
}

/// Prints the arrows and the cycles of every crate.
///
/// # Errors
/// The sources cannot be read.
pub fn print_graph() -> anyhow::Result<()> {
    modules::print()
}

/// Replaces the list of known cycles by the present ones.
///
/// # Errors
/// The sources cannot be read, or the list cannot be written.
pub fn accept_cycles() -> anyhow::Result<()> {
    modules::accept()
}

fn lints() -> anyhow::Result<()> {
    run(&mut cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))
}

fn build_without_columnar() -> anyhow::Result<()> {
    run(&mut cargo([
        "check",
        "--package",
        "time-series-api",
        "--lib",
        "--no-default-features",
        "--quiet",
    ]))
}

fn docs() -> anyhow::Result<()> {
    run(cargo([
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--quiet",
    ])
    .env("RUSTDOCFLAGS", "-D warnings"))
}
