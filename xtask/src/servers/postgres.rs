//! A PostgreSQL cluster of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::Signal;
use tokio_postgres::NoTls;
use uuid::Uuid;

use super::{Account, Debian, Server, free_port};
use crate::progress::{Step, say};

/// The oldest version whose SQL we use.
const OLDEST: u32 = 14;
/// A server that ends at once is tried again for so long.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// One that runs may have much to recover before it answers.
const ANSWER_PATIENCE: Duration = Duration::from_mins(5);
const RESTART_PAUSE: Duration = Duration::from_millis(500);
const NAME: &str = "PostgreSQL";
const SUPERUSER: &str = "postgres";

/// PostgreSQL's programs.
pub(crate) struct Binaries {
    bin: PathBuf,
    has_timescaledb: bool,
}

/// Whether data must survive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// As PostgreSQL comes: an answered commit is on disk.
    Durable,
    /// For tests: quick, lost with the machine.
    Throwaway,
}

/// A running cluster.
pub(crate) struct Cluster {
    /// `None`: another command started it, and stops it.
    server: Option<Running>,
    port: u16,
    password: Option<String>,
}

/// A server that we started, and how.
struct Running {
    server: Server,
    command: Command,
    log: PathBuf,
}

impl Binaries {
    /// The newest of this machine, with TimescaleDB if they have it: where Debian keeps them, else those of `PATH`.
    pub(crate) fn of_machine() -> Option<Self> {
        Self::in_versioned_folders().or_else(Self::in_path)
    }

    fn in_path() -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        let is_there = |bin: &PathBuf| bin.join("initdb").exists() && bin.join("postgres").exists();
        let is_new = |bin: &PathBuf| version_of(bin).is_some_and(|version| version >= OLDEST);
        let bin = std::env::split_paths(&path).filter(is_there).find(is_new)?;
        // A link in /usr/local/bin, say, leads to the folder that has the rest.
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
        let mut found: Vec<(u32, PathBuf)> = versions
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let version = path.file_name()?.to_str()?.parse().ok()?;
                Some((version, path.join("bin")))
            })
            .filter(|(version, bin)| {
                *version >= OLDEST && bin.join("initdb").exists() && bin.join("postgres").exists()
            })
            .collect();
        found.sort();
        let (_, bin) = found.pop()?;
        Some(Self {
            has_timescaledb: has_timescaledb(&bin),
            bin,
        })
    }

    /// Those of Debian's packages, which bring TimescaleDB.
    pub(crate) fn of_debian(debian: &Debian) -> Self {
        Self {
            bin: debian.postgres_bin(),
            has_timescaledb: true,
        }
    }

    /// The same programs, TimescaleDB left alone.
    pub(crate) const fn without_timescaledb(mut self) -> Self {
        self.has_timescaledb = false;
        self
    }

    /// The folder that the programs are in.
    pub(crate) fn bin(&self) -> &Path {
        &self.bin
    }

    /// Starts the cluster in `folder`, made if it is not there.
    pub(crate) async fn start(
        &self,
        folder: &Path,
        account: Account,
        durability: Durability,
    ) -> anyhow::Result<Cluster> {
        let step = Step::start(format!("PostgreSQL in {}", folder.display()));
        account.own_folder(folder)?;
        let data = folder.join("data");
        let password_file = folder.join("password");
        if !data.join("PG_VERSION").exists() {
            self.initdb(&data, &password_file, account, durability)?;
        }
        let password = match durability {
            Durability::Durable => {
                Some(fs::read_to_string(&password_file).context("cannot read the password")?)
            }
            Durability::Throwaway => None,
        };
        if let Some(running) = Cluster::running(&data, password.as_ref()).await {
            step.done(format!("port {}, running already", running.port));
            return Ok(running);
        }
        let port = free_port()?;
        let mut command = account.command(&self.bin.join("postgres"));
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
        let mut cluster = Cluster {
            server: Some(Running::start(command, log)?),
            port,
            password,
        };
        cluster.wait_until_ready().await?;
        step.done(format!(
            "port {port}{}",
            if self.has_timescaledb {
                ", with TimescaleDB"
            } else {
                ""
            }
        ));
        Ok(cluster)
    }

    fn initdb(
        &self,
        data: &Path,
        password_file: &Path,
        account: Account,
        durability: Durability,
    ) -> anyhow::Result<()> {
        // Made beside its place, so that an interrupted one is not taken for whole.
        let unfinished = data.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).context("cannot remove an unfinished cluster")?;
        }
        let mut command = account.command(&self.bin.join("initdb"));
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
                readable_by_all(password_file)?; // inside a folder that only its owner can enter
                command
                    .args(["-A", "scram-sha-256"])
                    .arg("--pwfile")
                    .arg(password_file);
            }
            Durability::Throwaway => {
                command.args(["-A", "trust", "--no-sync"]);
            }
        }
        crate::cargo::output(&mut command).context("cannot make a PostgreSQL cluster")?;
        fs::rename(&unfinished, data).context("cannot put the new cluster in its place")?;
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
            // Compiling never pays for such queries, and the unpacked packages leave the compiler out.
            "jit=off",
        ];
        if self.has_timescaledb {
            settings.extend([
                "shared_preload_libraries=timescaledb",
                "timescaledb.telemetry_level=off",
                // Its workers hold templates open, and the Apache edition has no jobs for them.
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

impl Running {
    fn start(mut command: Command, log: PathBuf) -> anyhow::Result<Self> {
        Ok(Self {
            server: Server::spawn(NAME, &mut command, Signal::INT)?,
            command,
            log,
        })
    }
}

impl Cluster {
    /// The cluster of that folder, if it runs: line 4 of its pid file is its port.
    async fn running(data: &Path, password: Option<&String>) -> Option<Self> {
        let pid_file = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let port = pid_file.lines().nth(3)?.trim().parse().ok()?;
        let cluster = Self {
            server: None,
            port,
            password: password.cloned(),
        };
        let answers = tokio_postgres::connect(&cluster.url("postgres"), NoTls)
            .await
            .is_ok();
        answers.then_some(cluster)
    }

    /// The URL of a database in it.
    pub(crate) fn url(&self, database: &str) -> String {
        let password = self
            .password
            .as_ref()
            .map_or_else(String::new, |p| format!(":{p}"));
        format!(
            "postgresql://{SUPERUSER}{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// The URL of a database of our own, made if it is not there.
    pub(crate) async fn provide_database(&self, name: &str) -> anyhow::Result<String> {
        let (client, connection) = tokio_postgres::connect(&self.url("postgres"), NoTls).await?;
        let connection = tokio::spawn(connection);
        let exists = client
            .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name])
            .await?;
        if exists.is_none() {
            client
                .batch_execute(&format!("CREATE DATABASE {name}"))
                .await?;
        }
        drop(client);
        connection.await??;
        Ok(self.url(name))
    }

    /// Ends it at once, with everything that is under way (`pg_ctl stop -m immediate`), and starts it again.
    pub(crate) async fn crash(&mut self) -> anyhow::Result<()> {
        if let Some(running) = &mut self.server {
            running.server.crash(Signal::QUIT);
        }
        self.wait_until_ready().await
    }

    /// Starts it again where it was, if it ended.
    pub(crate) async fn keep_running(&mut self) -> anyhow::Result<()> {
        let Some(running) = &mut self.server else {
            return Ok(());
        };
        let Some(status) = running.server.ended()? else {
            return Ok(());
        };
        say(format!(
            "PostgreSQL ended by itself ({status}); starting it again"
        ));
        self.wait_until_ready().await
    }

    /// Waits; a server that ends meanwhile is started again, since one that was killed may have left
    /// processes behind that must end first.
    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while tokio_postgres::connect(&self.url("postgres"), NoTls)
            .await
            .is_err()
        {
            if let Some(running) = &mut self.server
                && running.server.ended()?.is_some()
            {
                if started.elapsed() > START_PATIENCE {
                    let said = fs::read_to_string(&running.log).unwrap_or_default();
                    bail!("PostgreSQL does not start; it says:\n{said}");
                }
                tokio::time::sleep(RESTART_PAUSE).await;
                running.server = Server::spawn(NAME, &mut running.command, Signal::INT)?;
            }
            anyhow::ensure!(
                started.elapsed() < ANSWER_PATIENCE,
                "PostgreSQL does not answer"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

/// The major version in the output of `postgres --version`, as in "postgres (PostgreSQL) 17.2".
fn version_of(bin: &Path) -> Option<u32> {
    let told = Command::new(bin.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    let told = String::from_utf8(told.stdout).ok()?;
    let number = told
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

fn readable_by_all(file: &Path) -> anyhow::Result<()> {
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    Ok(())
}
