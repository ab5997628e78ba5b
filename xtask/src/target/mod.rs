//! What is put under load: a service of our own on a scratch database, or a running one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::cargo::build_server;
use crate::database::{Database, connect};
use crate::load;
use crate::progress::Step;
use crate::seed::seed;
use crate::servers::{Server, free_port};
use crate::up::start_service;

/// Every table that grows with the data, its partitions and indexes included.
const BYTES: &str = include_str!("bytes.sql");

/// Scratch databases of runs that were interrupted.
const LEFTOVERS: &str = include_str!("leftovers.sql");

/// A service to put under load.
pub(crate) struct Target {
    pub(crate) url: String,
    database_url: Option<String>,
    scratch: Option<Scratch>,
}

/// What a table takes on disk.
pub(crate) struct TableBytes {
    pub(crate) table: String,
    pub(crate) rows: i64,
    pub(crate) indexes: i64,
}

/// A service and database made for this run.
struct Scratch {
    program: PathBuf,
    bind: SocketAddr,
    service: Server,
    server: Database,
    database: String,
    database_url: String,
}

impl Target {
    /// The service at `url`, whose database may be known; or one of our own, in a database named after `purpose`.
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
        seed(&database_url, false).await?;
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

    /// The database of the service, if we know it.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.database_url.as_deref()
    }

    /// Whether service and database are there for this run only.
    pub(crate) const fn is_ours(&self) -> bool {
        self.scratch.is_some()
    }

    /// The process of the service, if it is our own.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.scratch.as_ref().map(|scratch| scratch.service.id())
    }

    /// Starts a service of our own afresh, with nothing in its memory; one that is not ours stays as it is.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        if let Some(scratch) = &mut self.scratch {
            scratch.service.stop();
            scratch.service = start(&scratch.program, &scratch.database_url, scratch.bind).await?;
        }
        Ok(())
    }

    /// What the data takes on disk; `None` for a service that is not ours, which may hold other data.
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

    /// Leaves everything as it was: without the `sessions` of these users, or without our database.
    pub(crate) async fn leave(self, users: &[Uuid], sessions: usize) -> anyhow::Result<()> {
        let Some(mut scratch) = self.scratch else {
            return load::delete(&self.url, users, sessions).await;
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
    start_service(
        program,
        database_url,
        bind,
        &[("CACHE", "off"), ("RUST_LOG", "warn")],
    )
    .await
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
