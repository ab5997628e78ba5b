//! Runs cargo and other commands.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// Returns the root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here
        .ancestors()
        .nth(2)
        .filter(|folder| folder.join("Cargo.toml").exists());
    // An installed binary runs in the current directory.
    root.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Returns the command `cargo` with these arguments, run in the root of the workspace.
pub fn cargo<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(args: I) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Runs a command to its end and shows its output.
///
/// # Errors
/// The command cannot be started, or it fails.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} failed: {status}", shown(command));
    }
    Ok(())
}

/// Runs a command to its end and returns its standard output.
///
/// # Errors
/// The command cannot be started, or it fails.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!(
            "{} failed: {}\n{}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn shown(command: &Command) -> String {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.display().to_string())
        .collect();
    format!("`{}`", words.join(" "))
}

/// Builds the service in the release profile and returns the path of its binary.
///
/// # Errors
/// The build fails.
pub fn build_server() -> anyhow::Result<PathBuf> {
    // xtask is built in the same call, so that both binaries share their compiled dependencies.
    run(&mut cargo([
        "build",
        "--release",
        "--package",
        "xtask",
        "--package",
        "time-series-server",
    ]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |dir| root().join(dir));
    Ok(target.join("release/time-series-server"))
}
