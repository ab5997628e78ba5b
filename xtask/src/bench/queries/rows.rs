//! The table that the service is compared with: its values, one a row.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, Statement};

use super::data::Data;
use crate::database::{Connection, connect};
use crate::progress::Step;

/// A connection with the settings of the service's own, and the table.
const CREATE: &str = include_str!("create_rows.sql");
const FILL: &str = include_str!("fill_rows.sql");
const SETTLE: &str = "VACUUM (ANALYZE) bench_row";
const DROP: &str = "DROP TABLE bench_row";

/// The table of rows, and a connection of its own.
pub(super) struct Rows {
    client: Client,
    connection: Connection,
}

impl Rows {
    /// Makes the table anew.
    pub(super) async fn create(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = connect(url).await?;
        client.batch_execute(CREATE).await?;
        Ok(Self { client, connection })
    }

    /// Adds the values of that data which are asked for, in the order in which they would have come in.
    pub(super) async fn fill(&self, data: &Data) -> anyhow::Result<()> {
        let step = Step::start("the same values as plain rows");
        let rows = self
            .client
            .execute(FILL, &[&data.users, &data.series])
            .await?;
        step.done(format!("{rows}"));
        Ok(())
    }

    /// Settles what filling left to be done.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        Ok(self.client.batch_execute(SETTLE).await?)
    }

    pub(super) async fn prepare(&self, sql: &str) -> anyhow::Result<Statement> {
        Ok(self.client.prepare(sql).await?)
    }

    /// Asks once: how long it took, and how many rows came.
    pub(super) async fn ask(
        &self,
        statement: &Statement,
        data: &Data,
    ) -> anyhow::Result<(Duration, u64)> {
        let (start, end) = (data.start.to_string(), data.end.to_string());
        let started = Instant::now();
        let rows = self
            .client
            .query(statement, &[&data.users, &data.series, &start, &end])
            .await?;
        Ok((started.elapsed(), rows.len() as u64))
    }

    pub(super) async fn drop(self) -> anyhow::Result<()> {
        self.client.batch_execute(DROP).await?;
        drop(self.client);
        self.connection.await??;
        Ok(())
    }
}
