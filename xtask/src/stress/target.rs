//! What is stressed: a service of our own on a scratch database, or a running one.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use tokio_postgres::Client;

use super::load::Load;
use crate::cargo::build_server;
use crate::database::{Database, connect};
use crate::progress::Step;
use crate::seed::seed;
use crate::servers::{Server, free_port};
use crate::up::start_service;

/// Every table that grows with the data, its partitions and indexes included.
const BYTES: &str = include_str!("bytes.sql");

/// Scratch databases of runs that were interrupted.
const LEFTOVERS: &str = include_str!("leftovers.sql");

/// A service to be stressed.
pub(crate) struct Target {
    pub(crate) url: String,
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
    service: Server,
    server: Database,
    database: String,
    database_url: String,
}

impl Target {
    pub(crate) async fn provide(url: Option<&str>, data_dir: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(url) = url {
            return Ok(Self { url: url.trim_end_matches('/').to_owned(), scratch: None });
        }
        let program = tokio::task::spawn_blocking(build_server).await??;
        let server = Database::provide(data_dir).await?;
        let database = format!("stress_{}", std::process::id());
        let database_url = create_database(server.url(), &database).await?;
        Database::at(&database_url).migrate().await?;
        seed(&database_url, false).await?;
        let bind = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let service = start_service(&program, &database_url, bind, &[("CACHE", "off"), ("LOG", "warn")]).await?;
        let scratch = Scratch { service, server, database, database_url };
        Ok(Self { url: format!("http://{bind}"), scratch: Some(scratch) })
    }

    /// What the data takes on disk; `None` for a service whose database we do not know.
    pub(crate) async fn bytes(&self) -> anyhow::Result<Option<Vec<TableBytes>>> {
        let Some(scratch) = &self.scratch else { return Ok(None) };
        let (client, connection) = connect(&scratch.database_url).await?;
        client.batch_execute("CHECKPOINT").await?;
        let mut bytes = Vec::new();
        for row in client.query(BYTES, &[]).await? {
            bytes.push(TableBytes { table: row.try_get(0)?, rows: row.try_get(1)?, indexes: row.try_get(2)? });
        }
        drop(client);
        connection.await??;
        Ok(Some(bytes))
    }

    /// Leaves everything as it was.
    pub(crate) async fn leave(self, load: &Load) -> anyhow::Result<()> {
        let Some(mut scratch) = self.scratch else {
            return load.delete(&self.url).await;
        };
        let step = Step::start("dropping the scratch database");
        scratch.service.stop();
        let (client, connection) = connect(scratch.server.url()).await?;
        execute(&client, &format!("DROP DATABASE {} WITH (FORCE)", scratch.database)).await?;
        drop(client);
        connection.await??;
        step.done("");
        Ok(())
    }
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
    let (server, rest) = url.rsplit_once('/').context("DATABASE_URL names no database")?;
    let options = rest.split_once('?').map_or_else(String::new, |(_, options)| format!("?{options}"));
    Ok(format!("{server}/{name}{options}"))
}

async fn execute(client: &Client, statement: &str) -> anyhow::Result<()> {
    client.batch_execute(statement).await.with_context(|| statement.to_owned())
}
