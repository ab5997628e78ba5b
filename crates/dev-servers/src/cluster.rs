//! A running PostgreSQL cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use rustix::process::Signal;
use time_series_devkit::progress::say;
use tokio_postgres::NoTls;

use crate::connection::connect;
use crate::process::Server;

/// Maximum time during which a server that ends at its start is started again.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time until a running server answers. It may have much to recover first.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(5);
const RESTART_PAUSE: Duration = Duration::from_millis(500);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
const NAME: &str = "PostgreSQL";
pub(crate) const SUPERUSER: &str = "postgres";

/// A running cluster.
pub struct Cluster {
    /// `None` if another command started the server and will stop it.
    process: Option<Process>,
    port: u16,
    password: Option<String>,
}

/// A server that this process started, and the command that starts it again.
struct Process {
    server: Server,
    command: Command,
    log: PathBuf,
}

impl Cluster {
    /// Starts a cluster with `command` and waits until it answers.
    pub(crate) async fn start(
        mut command: Command,
        log: PathBuf,
        port: u16,
        password: Option<String>,
    ) -> anyhow::Result<Self> {
        let server = Server::spawn(NAME, &mut command, Signal::INT)?;
        let mut cluster = Self {
            process: Some(Process {
                server,
                command,
                log,
            }),
            port,
            password,
        };
        cluster.wait_until_ready().await?;
        Ok(cluster)
    }

    /// Returns the cluster of a data folder if it runs. Line 4 of its pid file is the port.
    pub(crate) async fn running(data: &Path, password: Option<&String>) -> Option<Self> {
        let pid_file = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let port = pid_file.lines().nth(3)?.trim().parse().ok()?;
        let cluster = Self {
            process: None,
            port,
            password: password.cloned(),
        };
        let answers = tokio_postgres::connect(&cluster.url("postgres"), NoTls)
            .await
            .is_ok();
        answers.then_some(cluster)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the URL of a database of the cluster.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let password = self
            .password
            .as_ref()
            .map_or_else(String::new, |password| format!(":{password}"));
        format!(
            "postgresql://{SUPERUSER}{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Creates a database if it does not exist, and returns its URL.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn provide_database(&self, name: &str) -> anyhow::Result<String> {
        let (client, connection) = connect(&self.url("postgres")).await?;
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

    /// Aborts the server like `pg_ctl stop -m immediate`, and starts it again.
    ///
    /// # Errors
    /// The server does not start again.
    pub async fn crash(&mut self) -> anyhow::Result<()> {
        if let Some(process) = &mut self.process {
            process.server.crash(Signal::QUIT);
        }
        self.wait_until_ready().await
    }

    /// Restarts the server if it has ended.
    ///
    /// # Errors
    /// The server does not start again.
    pub async fn keep_running(&mut self) -> anyhow::Result<()> {
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        let Some(status) = process.server.exit_status()? else {
            return Ok(());
        };
        say(format!(
            "PostgreSQL ended unexpectedly ({status}); starting it again"
        ));
        self.wait_until_ready().await
    }

    /// Waits until the server answers, and starts it again if it ends meanwhile.
    ///
    /// A server that was killed may have left processes that must end before the next start.
    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while tokio_postgres::connect(&self.url("postgres"), NoTls)
            .await
            .is_err()
        {
            if let Some(process) = &mut self.process
                && process.server.exit_status()?.is_some()
            {
                if started.elapsed() > START_TIMEOUT {
                    let log = fs::read_to_string(&process.log).unwrap_or_default();
                    bail!("PostgreSQL does not start; its log:\n{log}");
                }
                tokio::time::sleep(RESTART_PAUSE).await;
                process.server = Server::spawn(NAME, &mut process.command, Signal::INT)?;
            }
            ensure!(
                started.elapsed() < ANSWER_TIMEOUT,
                "PostgreSQL does not answer"
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }
}
