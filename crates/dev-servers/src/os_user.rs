//! The operating system user that runs servers. PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The user that runs a server: the current one, or another one if the current one is root.
#[derive(Clone, Copy)]
pub struct OsUser {
    /// The user id and group id to switch to. `None` stands for the current user.
    switch_to: Option<(u32, u32)>,
}

impl OsUser {
    /// Returns the current user; for root, `postgres` or else `nobody`.
    ///
    /// # Errors
    /// The current user is root, and neither `postgres` nor `nobody` exists.
    pub fn for_servers() -> anyhow::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { switch_to: None });
        }
        let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        match user_ids(&passwd, "postgres").or_else(|| user_ids(&passwd, "nobody")) {
            Some(ids) => Ok(Self {
                switch_to: Some(ids),
            }),
            None => bail!(
                "PostgreSQL does not run as root: create a user postgres or nobody, \
                 or run this command as another user"
            ),
        }
    }

    /// Returns a command that runs as this user in a minimal environment.
    #[must_use]
    pub fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .current_dir("/");
        if let Some((uid, gid)) = self.switch_to {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Creates a folder that only this user can enter.
    ///
    /// # Errors
    /// The folder cannot be created, or its owner or mode cannot be changed.
    pub fn create_private_folder(self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        if let Some((uid, gid)) = self.switch_to {
            chown(folder, Some(uid), Some(gid))
                .with_context(|| format!("cannot change the owner of {}", folder.display()))?;
        }
        fs::set_permissions(folder, PermissionsExt::from_mode(0o700))?;
        Ok(())
    }

    /// Returns whether this user can enter `folder`. Root's home, for example, may forbid it.
    #[must_use]
    pub fn can_enter(self, folder: &Path) -> bool {
        if self.switch_to.is_none() {
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

/// Returns the user id and group id of a user in the text of /etc/passwd.
fn user_ids(passwd: &str, name: &str) -> Option<(u32, u32)> {
    let line = passwd
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
