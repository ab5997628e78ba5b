//! Reads metric types.

use std::sync::Arc;

use deadpool_postgres::Object;
use serde_json::Value;
use time::OffsetDateTime;
use time_series_domain::channel::{Channel, ChannelId};
use time_series_domain::metric_type::ValueSchema;
use time_series_domain::ports::{CatalogueChanges, StoreError};
use time_series_domain::{MetricType, MetricTypeId, Pointer, SeriesName};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::postgres::error::{PgError, corrupt};
use crate::postgres::pool::Postgres;

const CHANGES: &str = include_str!("changes.sql");
const READ: &str = include_str!("read_metric_type.sql");

/// Number of generations for which deletions are kept; see `log_metric_type_deletion` in the
/// migrations.
const GENERATIONS_LOGGED: i64 = 100_000;
/// Maximum number of metric types whose schemas are compiled on the current thread.
const MAX_COMPILED_INLINE: usize = 8;

impl Postgres {
    pub(super) async fn read_changes(
        &self,
        since: Option<u64>,
    ) -> Result<CatalogueChanges, PgError> {
        let client = self.connection("reading the catalogue").await?;
        let statement = client.prepare_cached(CHANGES).await?;
        if let Some(since) = since.and_then(|since| i64::try_from(since).ok()) {
            let rows = client.query(&statement, &[&since, &since]).await?;
            let generation = catalogue_generation(&rows)?;
            if (since..=since.saturating_add(GENERATIONS_LOGGED)).contains(&generation) {
                drop(client);
                return compile(rows, false).await;
            }
        }
        let rows = client.query(&statement, &[&-1_i64, &i64::MAX]).await?;
        drop(client);
        compile(rows, true).await
    }
}

fn catalogue_generation(rows: &[Row]) -> Result<i64, PgError> {
    let row = rows
        .first()
        .ok_or_else(|| corrupt("catalogue", "generation", "no row"))?;
    row.try_get("catalogue_generation")
        .map_err(|e| corrupt("catalogue", "generation", e))
}

/// Converts rows to changes, which includes the compilation of the schemas.
async fn compile(rows: Vec<Row>, is_whole: bool) -> Result<CatalogueChanges, PgError> {
    if rows.len() <= MAX_COMPILED_INLINE {
        return read_rows(&rows, is_whole);
    }
    let compiled = tokio::task::spawn_blocking(move || read_rows(&rows, is_whole)).await;
    compiled.unwrap_or_else(|e| {
        Err(StoreError::Failed {
            doing: "compiling the schemas of the catalogue",
            source: e.into(),
        }
        .into())
    })
}

fn read_rows(rows: &[Row], is_whole: bool) -> Result<CatalogueChanges, PgError> {
    let generation = u64::try_from(catalogue_generation(rows)?);
    let mut changes = CatalogueChanges {
        generation: generation.map_err(|e| corrupt("catalogue", "generation", e))?,
        is_whole,
        ..CatalogueChanges::default()
    };
    for row in rows {
        let Some(id) = column::<Option<i32>>(row, "id")? else {
            continue;
        };
        if column::<Option<&str>>(row, "series")?.is_some() {
            changes.changed.push(read_metric_type(row)?);
        } else {
            changes.deleted.push(MetricTypeId(id));
        }
    }
    Ok(changes)
}

/// Returns a metric type in the state that this transaction sees.
pub(super) async fn read_one(client: &Object, id: i32) -> Result<Option<MetricType>, PgError> {
    let read = client.prepare_cached(READ).await?;
    let row = client.query_opt(&read, &[&id]).await?;
    row.map(|row| read_metric_type(&row)).transpose()
}

fn read_metric_type(row: &Row) -> Result<MetricType, PgError> {
    let series: &str = column(row, "series")?;
    let schema: Value = column(row, "schema")?;
    let ids: Vec<i32> = column(row, "channel_ids")?;
    let pointers: Vec<&str> = column(row, "pointers")?;
    let channel = |(id, pointer): (i32, &str)| {
        let pointer =
            Pointer::parse(pointer).ok_or_else(|| corrupt("channel", "pointer", pointer))?;
        Ok(Channel {
            id: ChannelId(id),
            pointer,
        })
    };
    let generation = |name| {
        u64::try_from(column::<i64>(row, name)?).map_err(|e| corrupt("metric_type", name, e))
    };
    Ok(MetricType {
        id: MetricTypeId(column(row, "id")?),
        series: SeriesName::parse(series).map_err(|e| corrupt("metric_type", "series", e))?,
        schema: Arc::new(
            ValueSchema::parse(schema).map_err(|e| corrupt("metric_type", "schema", e))?,
        ),
        description: column(row, "description")?,
        unit: column(row, "unit")?,
        channels: ids
            .into_iter()
            .zip(pointers)
            .map(channel)
            .collect::<Result<_, PgError>>()?,
        generation: generation("generation")?,
        schema_generation: generation("schema_generation")?,
        created_at: column::<OffsetDateTime>(row, "created_at")?.into(),
        updated_at: column::<OffsetDateTime>(row, "updated_at")?.into(),
    })
}

fn column<'r, T: FromSql<'r>>(row: &'r Row, name: &'static str) -> Result<T, PgError> {
    row.try_get(name)
        .map_err(|e| corrupt("metric_type", name, e))
}
