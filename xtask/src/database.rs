//! The database that a command works on: that of `DATABASE_URL`, or the embedded default.

use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio_postgres::NoTls;

use crate::cargo::root;
use crate::progress::{Step, say};
use crate::servers::{Account, Binaries, Cluster, Debian, Durability};

const NAME: &str = "timeseries";

/// A database to work on.
pub(crate) struct Database {
    url: String,
    /// The server that we started for it.
    cluster: Option<Cluster>,
}

impl Database {
    /// `DATABASE_URL`, or else a private PostgreSQL below `data_dir`, kept between runs.
    pub(crate) async fn provide(data_dir: Option<&Path>) -> anyhow::Result<Self> {
        if let Ok(url) = std::env::var("DATABASE_URL")
            && !url.is_empty()
        {
            return Ok(Self { url, cluster: None });
        }
        Self::provide_private("postgres", data_dir).await
    }

    /// A private PostgreSQL of its own in `folder`, which survives a crash as a real one does.
    pub(crate) async fn provide_private(
        folder: &str,
        data_dir: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let account = Account::for_servers()?;
        let local = local_folder(data_dir, account)?;
        let binaries = match Binaries::of_machine() {
            Some(binaries) => binaries,
            None => Binaries::of_debian(&Debian::provide(&local)?),
        };
        let cluster = binaries
            .start(&local.join(folder), account, Durability::Durable)
            .await?;
        let url = cluster.provide_database(NAME).await?;
        Ok(Self {
            url,
            cluster: Some(cluster),
        })
    }

    /// The database of that URL.
    pub(crate) fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            cluster: None,
        }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Crashes the server that we started, and starts it again.
    pub(crate) async fn crash(&mut self) -> anyhow::Result<()> {
        match &mut self.cluster {
            Some(cluster) => cluster.crash().await,
            None => anyhow::bail!("a database that is not ours is not crashed"),
        }
    }

    /// Starts the server that we started again, if it ended.
    pub(crate) async fn keep_running(&mut self) -> anyhow::Result<()> {
        match &mut self.cluster {
            Some(cluster) => cluster.keep_running().await,
            None => Ok(()),
        }
    }

    /// Applies the migrations that it lacks.
    pub(crate) async fn migrate(&self) -> anyhow::Result<()> {
        let step = Step::start("migrations");
        let (mut client, connection) = connect(&self.url).await?;
        let done = time_series_infra::postgres::migrate(&mut client).await?;
        drop(client);
        connection.await??;
        let applied = match done.applied.len() {
            0 => "none missing".to_owned(),
            _ => format!("applied {}", done.applied.join(", ")),
        };
        let timescaledb = done.timescaledb.map_or("plain PostgreSQL".to_owned(), |v| {
            format!("TimescaleDB {v}")
        });
        step.done(format!("{applied}; {timescaledb}"));
        Ok(())
    }
}

/// What drives a connection; ends with it.
pub(crate) type Connection = tokio::task::JoinHandle<Result<(), tokio_postgres::Error>>;

/// One connection, for statements of our own.
pub(crate) async fn connect(url: &str) -> anyhow::Result<(tokio_postgres::Client, Connection)> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .context("cannot connect to the database")?;
    Ok((client, tokio::spawn(connection)))
}

/// Where local servers live: `.local`, or where the account that runs them can reach it.
pub(crate) fn local_folder(asked: Option<&Path>, account: Account) -> anyhow::Result<PathBuf> {
    let folder = asked.map_or_else(|| root().join(".local"), Path::to_path_buf);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = std::fs::canonicalize(&folder)?;
    if account.can_enter(&folder) {
        return Ok(folder);
    }
    let name = folder.to_string_lossy().replace('/', "-");
    let reachable = PathBuf::from(format!("/var/tmp/time-series-backend{name}"));
    std::fs::create_dir_all(&reachable)?;
    say(format!(
        "{} cannot be entered by the account that PostgreSQL runs as; using {}",
        folder.display(),
        reachable.display()
    ));
    Ok(reachable)
}
