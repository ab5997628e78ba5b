//! Checks of tools that a machine may not have. A skipped check is reported.

use std::process::{Command, Stdio};

use time_series_devkit::cargo::{cargo, output, root, run};
use time_series_devkit::progress::say;

use crate::step::step;

/// The variables that docker-compose.yml requires.
const PASSWORDS: [&str; 3] = [
    "POSTGRES_PASSWORD",
    "POSTGRES_ADMIN_PASSWORD",
    "REDIS_PASSWORD",
];

pub(crate) fn check() -> anyhow::Result<()> {
    if is_installed(cargo(["deny", "--version"])) {
        step("advisories of dependencies", || {
            run(&mut cargo(["deny", "--log-level", "error", "check"]))
        })?;
    } else {
        say("NOT CHECKED: advisories of dependencies (cargo-deny is not installed)");
    }
    if is_installed(compose("version")) {
        step("docker-compose.yml", || {
            output(
                compose("config")
                    .arg("--quiet")
                    .envs(PASSWORDS.map(|name| (name, "placeholder"))),
            )
            .map(|_| ())
        })?;
    } else {
        say("NOT CHECKED: docker-compose.yml (docker compose is not installed)");
    }
    Ok(())
}

fn compose(subcommand: &str) -> Command {
    let mut command = Command::new("docker");
    command.args(["compose", subcommand]).current_dir(root());
    command
}

fn is_installed(mut command: Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
