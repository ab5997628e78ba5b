//! Creates, changes and deletes metric types, each in one transaction that excludes ingest of it.

use std::pin::pin;

use deadpool_postgres::Object;
use futures_util::TryStreamExt;
use time_series_domain::metric_type::MetricTypeDefinition;
use time_series_domain::ports::{ChangeError, SchemaChange};
use time_series_domain::{MetricType, Pointer};

use super::read_catalogue::read_one;
use crate::postgres::block_reader::BlockReader;
use crate::postgres::error::{PgError, corrupt};
use crate::postgres::pool::Postgres;
use crate::postgres::transaction::Transaction;

const INSERT: &str = include_str!("insert_metric_type.sql");
const UPDATE: &str = include_str!("update_metric_type.sql");
const DELETE: &str = include_str!("delete_metric_type.sql");
const INSERT_CHANNELS: &str = include_str!("insert_channels.sql");
const DELETE_CHANNELS: &str = include_str!("delete_channels.sql");
const FIND: &str = include_str!("find_metric_type.sql");
const EXCLUDE_INGEST: &str = include_str!("exclude_ingest.sql");
const UPDATE_TEXTS: &str = include_str!("update_texts.sql");
const HAS_BLOCKS: &str = include_str!("has_blocks.sql");
const ALL_BLOCKS: &str = include_str!("all_blocks.sql");

/// The outer error is a failure of the store, which may be retried. The inner error is a rejection.
type Changed<T> = Result<Result<T, ChangeError>, PgError>;

impl Postgres {
    pub(super) async fn create_metric_type(
        &self,
        definition: &MetricTypeDefinition,
    ) -> Changed<MetricType> {
        let transaction =
            Transaction::begin(self.connection("creating a metric type").await?).await?;
        let series = definition.series.as_str();
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [
            &series,
            definition.schema.document(),
            &definition.description,
            &definition.unit,
        ];
        let insert = transaction.prepare_cached(INSERT).await?;
        let Some(row) = transaction.query_opt(&insert, &params).await? else {
            transaction.rollback().await?;
            return Ok(Err(ChangeError::Exists));
        };
        let id: i32 = row
            .try_get(0)
            .map_err(|e| corrupt("metric_type", "id", e))?;
        insert_channels(&transaction, id, definition.schema.numeric_leaves()).await?;
        finish(transaction, id).await
    }

    pub(super) async fn update_metric_type(
        &self,
        definition: &MetricTypeDefinition,
    ) -> Changed<MetricType> {
        let transaction =
            Transaction::begin(self.connection("changing a metric type").await?).await?;
        let series = definition.series.as_str();
        let Some(old) = exclude_ingest(&transaction, series).await? else {
            transaction.rollback().await?;
            return Ok(Err(ChangeError::Absent));
        };
        let change = SchemaChange::new(&old, definition);
        if old.schema.document() == definition.schema.document() {
            // The schema is the same: stored and new points remain valid.
            transaction
                .execute(
                    UPDATE_TEXTS,
                    &[&old.id.0, &definition.description, &definition.unit],
                )
                .await?;
            return finish(transaction, old.id.0).await;
        }
        let leaves = match check_blocks(&transaction, &old, &change).await? {
            Ok(true) => change.new_leaves().to_vec(),
            Ok(false) => {
                // Without points, the channels are replaced.
                transaction.execute(DELETE_CHANNELS, &[&old.id.0]).await?;
                definition.schema.numeric_leaves().to_vec()
            }
            // Drops the transaction: a rollback would first read the remaining blocks.
            Err(rejection) => return Ok(Err(rejection)),
        };
        insert_channels(&transaction, old.id.0, &leaves).await?;
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [
            &old.id.0,
            definition.schema.document(),
            &definition.description,
            &definition.unit,
        ];
        transaction.execute(UPDATE, &params).await?;
        finish(transaction, old.id.0).await
    }

    pub(super) async fn delete_metric_type(&self, series: &str) -> Changed<()> {
        let transaction =
            Transaction::begin(self.connection("deleting a metric type").await?).await?;
        let Some(old) = exclude_ingest(&transaction, series).await? else {
            transaction.rollback().await?;
            return Ok(Err(ChangeError::Absent));
        };
        disable_statement_timeout(&transaction).await?;
        let row = transaction.query_one(HAS_BLOCKS, &[&old.id.0]).await?;
        if row
            .try_get(0)
            .map_err(|e| corrupt("block", "metric_type_id", e))?
        {
            transaction.rollback().await?;
            return Ok(Err(ChangeError::InUse));
        }
        transaction.execute(DELETE, &[&old.id.0]).await?;
        transaction.commit().await?;
        Ok(Ok(()))
    }
}

/// Waits for running writes of points of a metric type, blocks new ones, and returns the metric
/// type.
async fn exclude_ingest(client: &Object, series: &str) -> Result<Option<MetricType>, PgError> {
    let Some(row) = client.query_opt(FIND, &[&series]).await? else {
        return Ok(None);
    };
    let id: i32 = row
        .try_get(0)
        .map_err(|e| corrupt("metric_type", "id", e))?;
    client.execute(EXCLUDE_INGEST, &[&id]).await?;
    read_one(client, id).await
}

/// Checks stored points against a change and returns whether there are points.
async fn check_blocks(
    client: &Object,
    old: &MetricType,
    change: &SchemaChange<'_>,
) -> Changed<bool> {
    disable_statement_timeout(client).await?;
    let statement = client.prepare(ALL_BLOCKS).await?;
    let reader = BlockReader::of(statement.columns());
    let mut rows = pin!(client.query_raw(&statement, [old.id.0]).await?);
    let mut has_points = false;
    while let Some(row) = rows.try_next().await? {
        has_points = true;
        if let Err(rejection) = change.check(&reader.block(&row)?) {
            return Ok(Err(rejection));
        }
    }
    Ok(Ok(has_points))
}

/// Removes the time limit of statements that read all blocks of a metric type.
async fn disable_statement_timeout(client: &Object) -> Result<(), PgError> {
    client
        .batch_execute("SET LOCAL statement_timeout = 0")
        .await?;
    Ok(())
}

async fn insert_channels(client: &Object, id: i32, leaves: &[Pointer]) -> Result<(), PgError> {
    let pointers: Vec<String> = leaves.iter().map(ToString::to_string).collect();
    let insert = client.prepare_cached(INSERT_CHANNELS).await?;
    client.execute(&insert, &[&id, &pointers]).await?;
    Ok(())
}

async fn finish(transaction: Transaction, id: i32) -> Changed<MetricType> {
    let Some(metric_type) = read_one(&transaction, id).await? else {
        return Err(corrupt(
            "metric_type",
            "id",
            "the metric type that was written is missing",
        ));
    };
    transaction.commit().await?;
    Ok(Ok(metric_type))
}
