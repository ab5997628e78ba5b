//! Shows a check while it runs.

use time_series_devkit::progress::Step;

/// Runs a check as one step.
pub(crate) fn step(name: &str, check: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let step = Step::start(name);
    check()?;
    step.done("ok");
    Ok(())
}
