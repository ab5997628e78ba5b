//! Reads metric types.

use std::sync::Arc;

use deadpool_postgres::Object;
use serde_json::Value;
use time::OffsetDateTime;
use time_series_domain::channel::{Channel, ChannelId};
use time_series_domain::metric_type::ValueSchema;
use time_series_domain::{Catalogue, MetricType, MetricTypeId, Pointer, SeriesName};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::postgres::error::{PgError, unreadable};
use crate::postgres::pool::Postgres;
use crate::postgres::transaction::Transaction;

const GENERATION: &str = include_str!("generation.sql");
const READ: &str = include_str!("read_metric_types.sql");

impl Postgres {
    pub(super) async fn read_catalogue(&self) -> Result<Catalogue, PgError> {
        let snapshot = Transaction::begin_snapshot(self.connection("reading the catalogue").await?).await?;
        let generation = generation(&snapshot).await?;
        let read = snapshot.prepare_cached(READ).await?;
        let rows = snapshot.query(&read, &[&None::<&str>]).await?;
        snapshot.commit().await?;
        let types: Vec<MetricType> = rows.iter().map(read_metric_type).collect::<Result<_, _>>()?;
        Ok(Catalogue::new(generation, types))
    }

    pub(super) async fn read_generation(&self) -> Result<u64, PgError> {
        let client = self.connection("reading the catalogue's generation").await?;
        generation(&client).await
    }
}

async fn generation(client: &Object) -> Result<u64, PgError> {
    let statement = client.prepare_cached(GENERATION).await?;
    let row = client.query_one(&statement, &[]).await?;
    let generation: i64 = row.try_get(0).map_err(|e| unreadable("catalogue", "generation", e))?;
    u64::try_from(generation).map_err(|e| unreadable("catalogue", "generation", e))
}

/// The metric type of that name, as this transaction sees it.
pub(super) async fn read_one(client: &Object, series: &str) -> Result<Option<MetricType>, PgError> {
    let read = client.prepare_cached(READ).await?;
    let row = client.query_opt(&read, &[&Some(series)]).await?;
    row.map(|row| read_metric_type(&row)).transpose()
}

fn read_metric_type(row: &Row) -> Result<MetricType, PgError> {
    let series: &str = column(row, "series")?;
    let schema: Value = column(row, "schema")?;
    let ids: Vec<i32> = column(row, "channel_ids")?;
    let pointers: Vec<&str> = column(row, "pointers")?;
    let channel = |(id, pointer): (i32, &str)| {
        let pointer = Pointer::parse(pointer).ok_or_else(|| unreadable("channel", "pointer", pointer))?;
        Ok(Channel { id: ChannelId(id), pointer })
    };
    Ok(MetricType {
        id: MetricTypeId(column(row, "id")?),
        series: SeriesName::parse(series).map_err(|e| unreadable("metric_type", "series", e))?,
        schema: Arc::new(ValueSchema::parse(schema).map_err(|e| unreadable("metric_type", "schema", e))?),
        description: column(row, "description")?,
        unit: column(row, "unit")?,
        channels: ids.into_iter().zip(pointers).map(channel).collect::<Result<_, PgError>>()?,
        created_at: column::<OffsetDateTime>(row, "created_at")?.into(),
        updated_at: column::<OffsetDateTime>(row, "updated_at")?.into(),
    })
}

fn column<'r, T: FromSql<'r>>(row: &'r Row, name: &'static str) -> Result<T, PgError> {
    row.try_get(name).map_err(|e| unreadable("metric_type", name, e))
}
