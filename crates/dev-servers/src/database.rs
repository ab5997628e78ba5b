//! The database that a command works on: that of `DATABASE_URL`, or a private one.

use std::path::{Path, PathBuf};

use anyhow::Context;
use time_series_devkit::cargo::root;
use time_series_devkit::progress::{Step, say};

use crate::binaries::{Binaries, Durability};
use crate::cluster::Cluster;
use crate::connection::connect;
use crate::debian::Debian;
use crate::os_user::OsUser;

/// The database of a private cluster.
const NAME: &str = "timeseries";

/// A database, and its server if this process started it.
pub struct Database {
    url: String,
    cluster: Option<Cluster>,
}

impl Database {
    /// Returns the database of `DATABASE_URL`, or else a private one below `data_dir`, which is
    /// kept between runs.
    ///
    /// # Errors
    /// The private server cannot be provided.
    pub async fn provide(data_dir: Option<&Path>) -> anyhow::Result<Self> {
        if let Ok(url) = std::env::var("DATABASE_URL")
            && !url.is_empty()
        {
            return Ok(Self { url, cluster: None });
        }
        Self::provide_private("postgres", data_dir).await
    }

    /// Starts a private PostgreSQL in `folder` below `data_dir`, with durable commits.
    ///
    /// # Errors
    /// The server cannot be provided.
    pub async fn provide_private(folder: &str, data_dir: Option<&Path>) -> anyhow::Result<Self> {
        let os_user = OsUser::for_servers()?;
        let local = local_folder(data_dir, os_user)?;
        let binaries = match Binaries::installed() {
            Some(binaries) => binaries,
            None => Binaries::of_debian(&Debian::provide(&local)?),
        };
        let cluster = binaries
            .start(&local.join(folder), os_user, Durability::Durable)
            .await?;
        let url = cluster.provide_database(NAME).await?;
        Ok(Self {
            url,
            cluster: Some(cluster),
        })
    }

    /// Returns the database at `url`.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            cluster: None,
        }
    }

    /// Returns the URL of the database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Crashes the private server and starts it again.
    ///
    /// # Errors
    /// The server is not private, or does not start again.
    pub async fn crash(&mut self) -> anyhow::Result<()> {
        match &mut self.cluster {
            Some(cluster) => cluster.crash().await,
            None => anyhow::bail!("only a private database server can be crashed"),
        }
    }

    /// Restarts the private server if it has ended.
    ///
    /// # Errors
    /// The server does not start again.
    pub async fn keep_running(&mut self) -> anyhow::Result<()> {
        match &mut self.cluster {
            Some(cluster) => cluster.keep_running().await,
            None => Ok(()),
        }
    }

    /// Applies the missing migrations.
    ///
    /// # Errors
    /// The database cannot be reached, or a migration fails.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        let step = Step::start("migrations");
        let (mut client, connection) = connect(&self.url).await?;
        let done = time_series_infra::postgres::migrate(&mut client).await?;
        drop(client);
        connection.await??;
        let applied = match done.applied.len() {
            0 => "up to date".to_owned(),
            _ => format!("applied {}", done.applied.join(", ")),
        };
        let timescaledb = done.timescaledb.map_or_else(
            || "plain PostgreSQL".to_owned(),
            |version| format!("TimescaleDB {version}"),
        );
        step.done(format!("{applied}; {timescaledb}"));
        Ok(())
    }
}

/// Returns the folder of private servers: `requested`, or else `.local` in the workspace.
///
/// If `os_user` cannot enter that folder, it is replaced by one below /var/tmp.
///
/// # Errors
/// The folder cannot be created.
pub fn local_folder(requested: Option<&Path>, os_user: OsUser) -> anyhow::Result<PathBuf> {
    let folder = requested.map_or_else(|| root().join(".local"), Path::to_path_buf);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let folder = std::fs::canonicalize(&folder)?;
    if os_user.can_enter(&folder) {
        return Ok(folder);
    }
    let name = folder.to_string_lossy().replace('/', "-");
    let reachable = PathBuf::from(format!("/var/tmp/time-series-backend{name}"));
    std::fs::create_dir_all(&reachable)?;
    say(format!(
        "the user that runs PostgreSQL cannot enter {}; using {}",
        folder.display(),
        reachable.display()
    ));
    Ok(reachable)
}
