//! A single connection to a database.

use anyhow::Context;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

/// The task that drives a connection. It ends when the client is dropped.
pub type Connection = JoinHandle<Result<(), tokio_postgres::Error>>;

/// Opens one connection.
///
/// # Errors
/// The server cannot be reached.
pub async fn connect(url: &str) -> anyhow::Result<(Client, Connection)> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .context("cannot connect to the database")?;
    Ok((client, tokio::spawn(connection)))
}
