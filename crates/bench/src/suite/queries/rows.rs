//! The table that the service is compared with: one row per value.

use std::time::{Duration, Instant};

use time_series_dev_servers::{Connection, connect};
use time_series_devkit::progress::Step;
use tokio_postgres::{Client, Statement};

use super::datasets::Data;

/// The settings of the service's connections, and the table.
const CREATE: &str = include_str!("create_rows.sql");
const FILL: &str = include_str!("fill_rows.sql");
const MAINTAIN: &str = "VACUUM (ANALYZE) bench_row";
const DROP: &str = "DROP TABLE bench_row";

/// The table, and the connection that queries it.
pub(super) struct Rows {
    client: Client,
    connection: Connection,
}

impl Rows {
    /// Creates the table, replacing an existing one.
    pub(super) async fn create(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = connect(url).await?;
        client.batch_execute(CREATE).await?;
        Ok(Self { client, connection })
    }

    /// Adds the queried values of a dataset, ordered by time.
    pub(super) async fn fill(&self, data: &Data) -> anyhow::Result<()> {
        let step = Step::start("copying the values to plain rows");
        let rows = self
            .client
            .execute(FILL, &[&data.users, &data.series])
            .await?;
        step.done(format!("{rows} rows"));
        Ok(())
    }

    /// Runs the maintenance that filling leaves.
    pub(super) async fn maintain(&self) -> anyhow::Result<()> {
        Ok(self.client.batch_execute(MAINTAIN).await?)
    }

    pub(super) async fn prepare(&self, sql: &str) -> anyhow::Result<Statement> {
        Ok(self.client.prepare(sql).await?)
    }

    /// Runs a query, and returns its duration and the number of rows.
    pub(super) async fn query(
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
