//! `cargo xtask test`

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cargo::{cargo, run};
use crate::database::local_folder;
use crate::servers::{Account, Binaries, Cluster, Debian, Durability, Redis};

/// Provides a plain PostgreSQL, one with TimescaleDB, and a Redis; runs every test on them; stops them.
#[derive(Args)]
pub(crate) struct Test {
    /// Passed on to `cargo test`, such as a part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Test {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let account = Account::for_servers()?;
        let folder = local_folder(None, account)?;
        let debian = Debian::provide(&folder)?;
        let scratch = Scratch::new(folder.join(format!("test-{}", std::process::id())))?;
        self.run_in(&scratch.0, &debian, account).await
    }

    async fn run_in(self, scratch: &Path, debian: &Debian, account: Account) -> anyhow::Result<()> {
        let plain = Binaries::of_machine()
            .unwrap_or_else(|| Binaries::of_debian(debian))
            .without_timescaledb();
        let bin = plain.bin().to_owned();
        let plain = start(&plain, &scratch.join("plain"), account).await?;
        let timescaledb = start(
            &Binaries::of_debian(debian),
            &scratch.join("timescaledb"),
            account,
        )
        .await?;
        let redis = Redis::start(debian, scratch)?;
        let all = if self
            .args
            .iter()
            .any(|arg| arg.starts_with("-p") || arg.starts_with("--package"))
        {
            None
        } else {
            Some("--workspace")
        };
        let mut tests = cargo(["test"]);
        tests
            .args(all)
            .args(self.args)
            .env("TEST_POSTGRES_BIN", bin)
            .env("TEST_POSTGRES_URL", plain.url("postgres"))
            .env("TEST_TIMESCALEDB_URL", timescaledb.url("postgres"))
            .env("TEST_REDIS_URL", redis.url());
        tokio::task::spawn_blocking(move || run(&mut tests)).await?
    }
}

/// A folder that goes with this, after the servers in it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(folder: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok(); // a folder left behind does no harm
    }
}

async fn start(binaries: &Binaries, folder: &Path, account: Account) -> anyhow::Result<Cluster> {
    binaries.start(folder, account, Durability::Throwaway).await
}
