//! Checks by tools that a machine may not have; what is left out is said loudly.

use std::process::{Command, Stdio};

use crate::cargo::{cargo, output, root, run};
use crate::progress::say;

/// The variables that docker-compose.yml requires.
const PASSWORDS: [&str; 3] = [
    "POSTGRES_PASSWORD",
    "POSTGRES_ADMIN_PASSWORD",
    "REDIS_PASSWORD",
];

pub(super) fn check() -> anyhow::Result<()> {
    if answers(cargo(["deny", "--version"])) {
        super::check("dependencies", || {
            run(&mut cargo(["deny", "--log-level", "error", "check"]))
        })?;
    } else {
        say("NOT CHECKED: advisories of dependencies (cargo-deny is not installed)");
    }
    let compose = |word: &str| {
        let mut command = Command::new("docker");
        command.args(["compose", word]).current_dir(root());
        command
    };
    if answers(compose("version")) {
        super::check("docker-compose.yml", || {
            output(
                compose("config")
                    .arg("--quiet")
                    .envs(PASSWORDS.map(|name| (name, "checked-only"))),
            )
            .map(|_| ())
        })?;
    } else {
        say("NOT CHECKED: docker-compose.yml (docker compose is not installed)");
    }
    Ok(())
}

fn answers(mut command: Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
