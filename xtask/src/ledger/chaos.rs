//! A service and a database, and what happens to them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::Signal;

use super::account::Account;
use crate::cargo::build_server;
use crate::database::{Database, local_folder};
use crate::progress::say;
use crate::seed::seed;
use crate::servers::{self, Server, free_port};
use crate::up::start_service;

const FOLDER: &str = "ledger";
/// The pause between two crashes, in milliseconds.
const PAUSE: std::ops::Range<u64> = 300..2_500;

/// What is being crashed.
pub(super) struct Chaos {
    folder: PathBuf,
    program: PathBuf,
    bind: SocketAddr,
    address: String,
    database: Database,
    service: Server,
    kills: usize,
    crashes: usize,
    told: String,
}

impl Chaos {
    pub(super) async fn begin(data_dir: Option<&Path>) -> anyhow::Result<Self> {
        let program = tokio::task::spawn_blocking(build_server).await??;
        let folder = local_folder(data_dir, servers::Account::for_servers()?)?.join(FOLDER);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("cannot remove the ledger of another run")?;
        }
        let database = Database::provide_private(FOLDER, data_dir).await?;
        database.migrate().await?;
        seed(database.url(), false).await?;
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
            told: String::new(),
        })
    }

    pub(super) fn account_file(&self) -> PathBuf {
        self.folder.join("acknowledged")
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn database_url(&self) -> &str {
        self.database.url()
    }

    /// Kills this or that, at random, for a while.
    pub(super) async fn rage(&mut self, until: Instant, account: &Account) -> anyhow::Result<()> {
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(PAUSE))).await;
            match fastrand::u32(..4) {
                0 | 1 => self.kill_service().await?,
                2 => self.crash_database().await?,
                _ => {
                    self.service.crash(Signal::KILL);
                    self.kills += 1;
                    self.crash_database().await?;
                    self.service = start(&self.program, self.database.url(), self.bind).await?;
                }
            }
            say(format!(
                "{} writes acknowledged, {} sessions begun",
                account.acknowledged(),
                account.begun()
            ));
        }
        let cut = account.cut.load(std::sync::atomic::Ordering::Relaxed);
        self.told = format!(
            "{} kills of the service, {} crashes of PostgreSQL, {cut} connections cut",
            self.kills, self.crashes
        );
        Ok(())
    }

    async fn kill_service(&mut self) -> anyhow::Result<()> {
        self.service.crash(Signal::KILL);
        self.kills += 1;
        self.service = start(&self.program, self.database.url(), self.bind).await?;
        Ok(())
    }

    async fn crash_database(&mut self) -> anyhow::Result<()> {
        self.crashes += 1;
        self.database.crash().await
    }

    /// A service that is ready, with nothing in its memory.
    pub(super) async fn calm(&mut self) -> anyhow::Result<()> {
        self.service.stop();
        self.service = start(&self.program, self.database.url(), self.bind).await?;
        Ok(())
    }

    /// What happened.
    pub(super) fn told(&self) -> &str {
        &self.told
    }

    /// Leaves nothing behind.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        self.service.stop();
        drop(self.database);
        std::fs::remove_dir_all(&self.folder).context("cannot remove the ledger's database")
    }
}

async fn start(program: &Path, database_url: &str, bind: SocketAddr) -> anyhow::Result<Server> {
    start_service(program, database_url, bind, &[("RUST_LOG", "off")]).await
}
