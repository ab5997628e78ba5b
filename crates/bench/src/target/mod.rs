//! The service under load: a private one on a scratch database, or a running one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use time_series_dev_servers::{Database, Server, connect, free_port, start_service};
use time_series_devkit::cargo::build_server;
use time_series_devkit::progress::Step;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::load::delete_sessions;

/// Bytes of every table that grows with the data, including partitions and indexes.
const BYTES: &str = include_str!("bytes.sql");

/// Scratch databases of interrupted runs.
const LEFTOVERS: &str = include_str!("leftovers.sql");

/// The service under load.
pub(crate) struct Target {
    pub(crate) url: String,
    database_url: Option<String>,
    scratch: Option<Scratch>,
}

/// The bytes of a table on disk.
pub(crate) struct TableBytes {
    pub(crate) table: String,
    pub(crate) rows: i64,
    pub(crate) indexes: i64,
}

/// A service and a database that exist for one run.
struct Scratch {
    program: PathBuf,
    bind: SocketAddr,
    service: Server,
    server: Database,
    database: String,
    database_url: String,
}

impl Target {
    /// Returns the service at `url`, or starts a private one.
    ///
    /// The name of the scratch database begins with `purpose`.
    pub(crate) async fn provide(
        purpose: &str,
        url: Option<&str>,
        database_url: Option<&str>,
        data_dir: Option<&Path>,
    ) -> anyhow::Result<Self> {
        if let Some(url) = url {
            let database_url = database_url.map(str::to_owned);
            return Ok(Self {
                url: url.trim_end_matches('/').to_owned(),
                database_url,
                scratch: None,
            });
        }
        let program = tokio::task::spawn_blocking(build_server).await??;
        let server = Database::provide(data_dir).await?;
        let database = format!("{purpose}_{}", std::process::id());
        let database_url = create_database(server.url(), &database).await?;
        Database::at(&database_url).migrate().await?;
        time_series_server::seed(&database_url, false).await?;
        let bind = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let service = start(&program, &database_url, bind).await?;
        Ok(Self {
            url: format!("http://{bind}"),
            database_url: Some(database_url.clone()),
            scratch: Some(Scratch {
                program,
                bind,
                service,
                server,
                database,
                database_url,
            }),
        })
    }

    /// Returns the database of the service, if it is known.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.database_url.as_deref()
    }

    /// Returns whether service and database exist for this run only.
    pub(crate) const fn is_private(&self) -> bool {
        self.scratch.is_some()
    }

    /// Returns the process id of a private service.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.scratch.as_ref().map(|scratch| scratch.service.id())
    }

    /// Restarts a private service, so that nothing is in its memory.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        if let Some(scratch) = &mut self.scratch {
            scratch.service.stop();
            scratch.service = start(&scratch.program, &scratch.database_url, scratch.bind).await?;
        }
        Ok(())
    }

    /// Returns the bytes of the data on disk; `None` for a running service, which may hold other
    /// data.
    pub(crate) async fn bytes(&self) -> anyhow::Result<Option<Vec<TableBytes>>> {
        let Some(scratch) = &self.scratch else {
            return Ok(None);
        };
        let (client, connection) = connect(&scratch.database_url).await?;
        client.batch_execute("CHECKPOINT").await?;
        let mut bytes = Vec::new();
        for row in client.query(BYTES, &[]).await? {
            bytes.push(TableBytes {
                table: row.try_get(0)?,
                rows: row.try_get(1)?,
                indexes: row.try_get(2)?,
            });
        }
        drop(client);
        connection.await??;
        Ok(Some(bytes))
    }

    /// Deletes the `sessions` sessions of these users, or drops the scratch database.
    pub(crate) async fn clean_up(self, users: &[Uuid], sessions: usize) -> anyhow::Result<()> {
        let Some(mut scratch) = self.scratch else {
            return delete_sessions(&self.url, users, sessions).await;
        };
        let step = Step::start("dropping the scratch database");
        scratch.service.stop();
        let (client, connection) = connect(scratch.server.url()).await?;
        execute(
            &client,
            &format!("DROP DATABASE {} WITH (FORCE)", scratch.database),
        )
        .await?;
        drop(client);
        connection.await??;
        step.done("");
        Ok(())
    }
}

async fn start(program: &Path, database_url: &str, bind: SocketAddr) -> anyhow::Result<Server> {
    let settings = [("CACHE", "off"), ("RUST_LOG", "warn")];
    start_service(program, database_url, bind, &settings).await
}

async fn create_database(url: &str, name: &str) -> anyhow::Result<String> {
    let (client, connection) = connect(url).await?;
    for row in client.query(LEFTOVERS, &[]).await? {
        let leftover: String = row.try_get(0)?;
        execute(&client, &format!("DROP DATABASE IF EXISTS {leftover}")).await?;
    }
    execute(&client, &format!("CREATE DATABASE {name}")).await?;
    drop(client);
    connection.await??;
    let (server, rest) = url
        .rsplit_once('/')
        .context("DATABASE_URL names no database")?;
    let options = rest
        .split_once('?')
        .map_or_else(String::new, |(_, options)| format!("?{options}"));
    Ok(format!("{server}/{name}{options}"))
}

async fn execute(client: &Client, statement: &str) -> anyhow::Result<()> {
    client
        .batch_execute(statement)
        .await
        .with_context(|| statement.to_owned())
}
