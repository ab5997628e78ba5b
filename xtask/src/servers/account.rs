//! Whom servers run as: PostgreSQL refuses root.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Who runs a server: we ourselves, or another account when we are root.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    drop_to: Option<(u32, u32)>,
}

impl Account {
    /// We ourselves, unless we are root: then `postgres`, or else `nobody`.
    pub(crate) fn for_servers() -> anyhow::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { drop_to: None });
        }
        let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let ids = |name: &str| {
            let line = passwd
                .lines()
                .find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        match ids("postgres").or_else(|| ids("nobody")) {
            Some(account) => Ok(Self {
                drop_to: Some(account),
            }),
            None => bail!(
                "running as root, and there is no account postgres or nobody to run PostgreSQL as"
            ),
        }
    }

    /// A command of this account, with a plain environment.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .current_dir("/");
        if let Some((uid, gid)) = self.drop_to {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Makes a folder that only this account can enter.
    pub(crate) fn own_folder(self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        if let Some((uid, gid)) = self.drop_to {
            chown(folder, Some(uid), Some(gid))
                .with_context(|| format!("cannot give away {}", folder.display()))?;
        }
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(folder, private)?;
        Ok(())
    }

    /// Whether this account can enter `folder`, which root's home, say, does not allow.
    pub(crate) fn can_enter(self, folder: &Path) -> bool {
        if self.drop_to.is_none() {
            return true;
        }
        let mut probe = self.command(Path::new("/usr/bin/test"));
        probe
            .arg("-x")
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    }
}
