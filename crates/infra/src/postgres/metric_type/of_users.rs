//! Finds the metric types of users' points and checks a [`CatalogueView`] in a snapshot.

use std::collections::BTreeSet;

use deadpool_postgres::Object;
use time::OffsetDateTime;
use time_series_domain::ports::{CatalogueView, DataVersion, PointSource, StoreError};
use time_series_domain::{MetricTypeId, SchemaVersion, Timestamp, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::postgres::error::{PgError, corrupt};
use crate::postgres::ingest::read_version;
use crate::postgres::pool::Postgres;

const BY_DAYS: &str = include_str!("of_users_by_days.sql");
const BY_BLOCKS: &str = include_str!("of_users_by_blocks.sql");
const CURRENT_SCHEMAS: &str = include_str!("current_schemas.sql");

impl Postgres {
    pub(super) async fn metric_types_of_users(
        &self,
        users: &[UserId],
        points: &PointSource,
    ) -> Result<(DataVersion, Vec<SchemaVersion>), PgError> {
        let has_chunks = self.chunks().await?.is_some();
        let client = self.connection("reading the metric types of users").await?;
        of_users(&client, users, points, has_chunks).await
    }

    /// Checks in the snapshot of `client` that the metric types are those that a request assumes.
    /// `head` has the versions of the snapshot.
    pub(in crate::postgres) async fn check_view(
        &self,
        client: &Object,
        data_version: DataVersion,
        users: &[UserId],
        view: &CatalogueView,
    ) -> Result<(), PgError> {
        let is_valid = match view {
            CatalogueView::Whole(generation) => *generation == data_version.generation,
            CatalogueView::Types { generation, types } => {
                *generation == data_version.generation || are_current(client, types).await?
            }
            CatalogueView::OfUsers {
                data_version: known,
                ..
            } if *known == data_version => true,
            CatalogueView::OfUsers { points, types, .. } => {
                let has_chunks = self.chunks().await?.is_some();
                let (_, seen) = of_users(client, users, points, has_chunks).await?;
                seen.iter().all(|version| types.contains(version))
            }
        };
        if is_valid {
            Ok(())
        } else {
            Err(StoreError::CatalogueChanged.into())
        }
    }
}

pub(in crate::postgres) async fn of_users(
    client: &Object,
    users: &[UserId],
    points: &PointSource,
    has_chunks: bool,
) -> Result<(DataVersion, Vec<SchemaVersion>), PgError> {
    let users: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let rows = match points {
        PointSource::DaySummaries => {
            let statement = client.prepare_cached(BY_DAYS).await?;
            client.query(&statement, &[&users]).await?
        }
        PointSource::Blocks(range) => {
            let statement = client.prepare_cached(BY_BLOCKS).await?;
            // The range limits the partitions to be searched. The index of a plain table is faster
            // without it.
            let (start, end): (OffsetDateTime, OffsetDateTime) = if has_chunks {
                (
                    range.start.utc_day().start().to_offset_date_time(),
                    range.end.to_offset_date_time(),
                )
            } else {
                (
                    Timestamp::MIN.to_offset_date_time(),
                    Timestamp::MAX.to_offset_date_time(),
                )
            };
            client.query(&statement, &[&users, &start, &end]).await?
        }
    };
    let Some(first) = rows.first() else {
        return Err(corrupt("catalogue", "generation", "no row"));
    };
    let generation: i64 = first
        .try_get("generation")
        .map_err(|e| corrupt("catalogue", "generation", e))?;
    let generation =
        u64::try_from(generation).map_err(|e| corrupt("catalogue", "generation", e))?;
    let mut types = BTreeSet::new();
    for row in &rows {
        types.extend(read_schema_version(row)?);
    }
    Ok((
        DataVersion {
            version: read_version(first)?,
            generation,
        },
        types.into_iter().collect(),
    ))
}

/// Returns the metric type of a row and the generation of its schema; `None` for a row without one.
pub(in crate::postgres) fn read_schema_version(
    row: &Row,
) -> Result<Option<SchemaVersion>, PgError> {
    let id: Option<i32> = row
        .try_get("metric_type_id")
        .map_err(|e| corrupt("metric_type", "id", e))?;
    let Some(id) = id else { return Ok(None) };
    let generation: i64 = row
        .try_get("schema_generation")
        .map_err(|e| corrupt("metric_type", "schema_generation", e))?;
    let generation =
        u64::try_from(generation).map_err(|e| corrupt("metric_type", "schema_generation", e))?;
    Ok(Some(SchemaVersion {
        metric_type: MetricTypeId(id),
        generation,
    }))
}

async fn are_current(client: &Object, types: &[SchemaVersion]) -> Result<bool, PgError> {
    let (ids, generations) = schema_columns(types.iter().copied());
    let statement = client.prepare_cached(CURRENT_SCHEMAS).await?;
    let row = client.query_one(&statement, &[&ids, &generations]).await?;
    let current: i64 = row
        .try_get("current")
        .map_err(|e| corrupt("metric_type", "schema_generation", e))?;
    Ok(usize::try_from(current).is_ok_and(|current| current == types.len()))
}

/// Converts schema versions to columns.
pub(in crate::postgres) fn schema_columns(
    versions: impl Iterator<Item = SchemaVersion>,
) -> (Vec<i32>, Vec<i64>) {
    versions
        .map(|v| {
            (
                v.metric_type.0,
                i64::try_from(v.generation).unwrap_or(i64::MAX),
            )
        })
        .unzip()
}
