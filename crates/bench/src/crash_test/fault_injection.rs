//! Fault injection: a service and a database that are killed at random.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::Signal;
use time_series_dev_servers::{Database, OsUser, Server, free_port, local_folder, start_service};
use time_series_devkit::cargo::build_server;
use time_series_devkit::progress::say;

use super::acknowledgements::Acknowledgements;

/// The folder of the database, below the folder of private servers.
const FOLDER: &str = "crash-test";
/// Milliseconds between two faults.
const PAUSE: std::ops::Range<u64> = 300..2_500;

/// The service and the database under test.
pub(super) struct FaultInjector {
    folder: PathBuf,
    program: PathBuf,
    bind: SocketAddr,
    address: String,
    database: Database,
    service: Server,
    kills: usize,
    crashes: usize,
}

impl FaultInjector {
    /// Starts a service on a new database.
    pub(super) async fn start(data_dir: Option<&Path>) -> anyhow::Result<Self> {
        let program = tokio::task::spawn_blocking(build_server).await??;
        let folder = local_folder(data_dir, OsUser::for_servers()?)?.join(FOLDER);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .context("cannot remove the database of an earlier crash test")?;
        }
        let database = Database::provide_private(FOLDER, data_dir).await?;
        database.migrate().await?;
        time_series_server::seed(database.url(), false).await?;
        let bind = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let service = start(&program, database.url(), bind).await?;
        let address = bind.to_string();
        Ok(Self {
            folder,
            program,
            bind,
            address,
            database,
            service,
            kills: 0,
            crashes: 0,
        })
    }

    pub(super) fn acknowledgements_file(&self) -> PathBuf {
        self.folder.join("acknowledged")
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn database_url(&self) -> &str {
        self.database.url()
    }

    /// Injects faults at random until the given time.
    pub(super) async fn inject(
        &mut self,
        until: Instant,
        acknowledgements: &Acknowledgements,
    ) -> anyhow::Result<()> {
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(PAUSE))).await;
            match fastrand::u32(..4) {
                0 | 1 => {
                    self.kill_service();
                    self.start_service().await?;
                }
                2 => self.crash_database().await?,
                _ => {
                    self.kill_service();
                    self.crash_database().await?;
                    self.start_service().await?;
                }
            }
            say(format!(
                "{} writes acknowledged, {} sessions started",
                acknowledgements.acknowledged(),
                acknowledgements.started()
            ));
        }
        Ok(())
    }

    fn kill_service(&mut self) {
        self.service.crash(Signal::KILL);
        self.kills += 1;
    }

    async fn start_service(&mut self) -> anyhow::Result<()> {
        self.service = start(&self.program, self.database.url(), self.bind).await?;
        Ok(())
    }

    async fn crash_database(&mut self) -> anyhow::Result<()> {
        self.crashes += 1;
        self.database.crash().await
    }

    /// Restarts the service without a fault, so that nothing is in its memory.
    pub(super) async fn restart_service(&mut self) -> anyhow::Result<()> {
        self.service.stop();
        self.start_service().await
    }

    /// Returns the number of faults, in words.
    pub(super) fn summary(&self) -> String {
        format!(
            "{} kills of the service, {} crashes of PostgreSQL",
            self.kills, self.crashes
        )
    }

    /// Stops the servers and removes their data.
    pub(super) fn clean_up(mut self) -> anyhow::Result<()> {
        self.service.stop();
        drop(self.database);
        std::fs::remove_dir_all(&self.folder)
            .context("cannot remove the database of the crash test")
    }
}

async fn start(program: &Path, database_url: &str, bind: SocketAddr) -> anyhow::Result<Server> {
    start_service(program, database_url, bind, &[("RUST_LOG", "off")]).await
}
