//! `cargo xtask test`

use std::path::{Path, PathBuf};

use clap::Args;
use time_series_dev_servers::{Binaries, Cluster, Debian, Durability, OsUser, Redis, local_folder};
use time_series_devkit::cargo::{cargo, run};

/// Runs the tests on a private PostgreSQL, TimescaleDB and Redis.
#[derive(Args)]
pub(crate) struct Test {
    /// Arguments of `cargo test`, such as `-p <crate>` or a part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Test {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let os_user = OsUser::for_servers()?;
        let folder = local_folder(None, os_user)?;
        let debian = Debian::provide(&folder)?;
        let scratch = ScratchFolder::new(folder.join(format!("test-{}", std::process::id())))?;
        self.run_in(&scratch.0, &debian, os_user).await
    }

    async fn run_in(self, scratch: &Path, debian: &Debian, os_user: OsUser) -> anyhow::Result<()> {
        let plain = Binaries::installed()
            .unwrap_or_else(|| Binaries::of_debian(debian))
            .without_timescaledb();
        let bin = plain.bin().to_owned();
        let plain = start(&plain, &scratch.join("plain"), os_user).await?;
        let timescaledb = start(
            &Binaries::of_debian(debian),
            &scratch.join("timescaledb"),
            os_user,
        )
        .await?;
        let redis = Redis::start(debian, scratch)?;
        let names_packages = self
            .args
            .iter()
            .any(|arg| arg.starts_with("-p") || arg.starts_with("--package"));
        let mut tests = cargo(["test"]);
        tests
            .args((!names_packages).then_some("--workspace"))
            .args(self.args)
            .env("TEST_POSTGRES_BIN", bin)
            .env("TEST_POSTGRES_URL", plain.url("postgres"))
            .env("TEST_TIMESCALEDB_URL", timescaledb.url("postgres"))
            .env("TEST_REDIS_URL", redis.url());
        tokio::task::spawn_blocking(move || run(&mut tests)).await?
    }
}

/// A folder that is removed when dropped. It must outlive the servers in it.
struct ScratchFolder(PathBuf);

impl ScratchFolder {
    fn new(folder: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok(); // a remaining folder does no harm
    }
}

async fn start(binaries: &Binaries, folder: &Path, os_user: OsUser) -> anyhow::Result<Cluster> {
    binaries.start(folder, os_user, Durability::Throwaway).await
}
