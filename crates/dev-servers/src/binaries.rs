//! PostgreSQL's programs, and the start of a cluster with them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use time_series_devkit::cargo::output;
use time_series_devkit::progress::Step;
use uuid::Uuid;

use crate::cluster::{Cluster, SUPERUSER};
use crate::debian::Debian;
use crate::os_user::OsUser;
use crate::process::free_port;

/// The oldest supported major version.
const MIN_VERSION: u32 = 14;

/// PostgreSQL's programs.
pub struct Binaries {
    bin: PathBuf,
    has_timescaledb: bool,
}

/// The durability of a cluster.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// PostgreSQL's defaults: an acknowledged commit is on disk.
    Durable,
    /// For tests: fast, and lost when the machine crashes.
    Throwaway,
}

impl Binaries {
    /// Returns the newest programs of this machine, with TimescaleDB if they have it.
    ///
    /// Debian's folders of versions come first, then `PATH`.
    #[must_use]
    pub fn installed() -> Option<Self> {
        Self::in_versioned_folders().or_else(Self::in_path)
    }

    fn in_path() -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        let bin = std::env::split_paths(&path)
            .filter(|bin| has_programs(bin))
            .find(|bin| version(bin).is_some_and(|version| version >= MIN_VERSION))?;
        // The entry of PATH may be a link into the folder that has all programs.
        let bin = fs::canonicalize(bin.join("postgres"))
            .ok()?
            .parent()?
            .to_owned();
        Some(Self {
            has_timescaledb: has_timescaledb(&bin),
            bin,
        })
    }

    fn in_versioned_folders() -> Option<Self> {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        let (_, bin) = versions
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
                Some((version, path.join("bin")))
            })
            .filter(|(version, bin)| *version >= MIN_VERSION && has_programs(bin))
            .max()?;
        Some(Self {
            has_timescaledb: has_timescaledb(&bin),
            bin,
        })
    }

    /// Returns the programs of Debian's packages, which include TimescaleDB.
    #[must_use]
    pub fn of_debian(debian: &Debian) -> Self {
        Self {
            bin: debian.postgres_bin(),
            has_timescaledb: true,
        }
    }

    /// Returns the same programs with TimescaleDB disabled.
    #[must_use]
    pub const fn without_timescaledb(mut self) -> Self {
        self.has_timescaledb = false;
        self
    }

    /// Returns the folder of the programs.
    #[must_use]
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// Starts the cluster in `folder`, and creates it if it does not exist.
    ///
    /// # Errors
    /// The cluster cannot be created or started.
    pub async fn start(
        &self,
        folder: &Path,
        os_user: OsUser,
        durability: Durability,
    ) -> anyhow::Result<Cluster> {
        let step = Step::start(format!("PostgreSQL in {}", folder.display()));
        os_user.create_private_folder(folder)?;
        let data = folder.join("data");
        let password_file = folder.join("password");
        if !data.join("PG_VERSION").exists() {
            self.initdb(&data, &password_file, os_user, durability)?;
        }
        let password = match durability {
            Durability::Durable => {
                Some(fs::read_to_string(&password_file).context("cannot read the password")?)
            }
            Durability::Throwaway => None,
        };
        if let Some(running) = Cluster::running(&data, password.as_ref()).await {
            step.done(format!("port {}, already running", running.port()));
            return Ok(running);
        }
        let port = free_port()?;
        let mut command = os_user.command(&self.bin.join("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for setting in self.settings(durability) {
            command.args(["-c", setting]);
        }
        let log = folder.join("log");
        let file = fs::File::create(&log).context("cannot write the log")?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let cluster = Cluster::start(command, log, port, password).await?;
        let extension = if self.has_timescaledb {
            ", with TimescaleDB"
        } else {
            ""
        };
        step.done(format!("port {port}{extension}"));
        Ok(cluster)
    }

    fn initdb(
        &self,
        data: &Path,
        password_file: &Path,
        os_user: OsUser,
        durability: Durability,
    ) -> anyhow::Result<()> {
        // Created under another name, so that an interrupted initdb leaves no incomplete cluster.
        let unfinished = data.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).context("cannot remove an unfinished cluster")?;
        }
        let mut command = os_user.command(&self.bin.join("initdb"));
        command.arg("-D").arg(&unfinished).args([
            "-U",
            SUPERUSER,
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]);
        match durability {
            Durability::Durable => {
                fs::write(password_file, Uuid::new_v4().simple().to_string())?;
                // Readable by all, inside a folder that only its owner can enter.
                fs::set_permissions(password_file, PermissionsExt::from_mode(0o644))?;
                command
                    .args(["-A", "scram-sha-256"])
                    .arg("--pwfile")
                    .arg(password_file);
            }
            Durability::Throwaway => {
                command.args(["-A", "trust", "--no-sync"]);
            }
        }
        output(&mut command).context("cannot create a PostgreSQL cluster")?;
        fs::rename(&unfinished, data).context("cannot rename the new cluster")?;
        Ok(())
    }

    fn settings(&self, durability: Durability) -> Vec<&'static str> {
        let mut settings = vec![
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            // A query over 500 partitions takes a thousand locks.
            "max_locks_per_transaction=512",
            "timezone=UTC",
            // JIT compilation never pays for these queries, and the unpacked packages omit LLVM.
            "jit=off",
        ];
        if self.has_timescaledb {
            settings.extend([
                "shared_preload_libraries=timescaledb",
                "timescaledb.telemetry_level=off",
                // Workers keep template databases open, and the Apache edition has no jobs.
                "timescaledb.max_background_workers=0",
            ]);
        }
        if durability == Durability::Throwaway {
            settings.extend([
                "fsync=off",
                "full_page_writes=off",
                "synchronous_commit=off",
            ]);
        } else {
            settings.extend(["shared_buffers=256MB", "max_wal_size=2GB"]);
        }
        settings
    }
}

fn has_programs(bin: &Path) -> bool {
    bin.join("initdb").exists() && bin.join("postgres").exists()
}

/// Returns the major version in the output of `postgres --version`: `postgres (PostgreSQL) 17.2`.
fn version(bin: &Path) -> Option<u32> {
    let printed = Command::new(bin.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    let printed = String::from_utf8(printed.stdout).ok()?;
    let number = printed
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

fn has_timescaledb(bin: &Path) -> bool {
    let sharedir = Command::new(bin.join("pg_config"))
        .arg("--sharedir")
        .output();
    sharedir.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Path::new(&folder)
            .join("extension/timescaledb.control")
            .exists()
    })
}
