//! [`MetricTypeStore`] on PostgreSQL.

mod change_metric_type;
mod of_users;
mod read_catalogue;

use async_trait::async_trait;
use time_series_domain::metric_type::MetricTypeDefinition;
use time_series_domain::ports::{
    CatalogueChanges, ChangeError, DataVersion, MetricTypeStore, PointSource, StoreError,
};
use time_series_domain::{MetricType, SchemaVersion, UserId};

use super::pool::Postgres;

pub(super) use of_users::{of_users, read_schema_version, schema_columns};

/// Metric types on PostgreSQL.
pub struct PgMetricTypeStore {
    postgres: Postgres,
}

impl PgMetricTypeStore {
    /// Creates the store over `postgres`.
    #[must_use]
    pub const fn new(postgres: Postgres) -> Self {
        Self { postgres }
    }
}

#[async_trait]
impl MetricTypeStore for PgMetricTypeStore {
    async fn changes(&self, since: Option<u64>) -> Result<CatalogueChanges, StoreError> {
        self.postgres
            .run("reading the catalogue", || {
                self.postgres.read_changes(since)
            })
            .await
    }

    async fn of_users(
        &self,
        users: &[UserId],
        points: &PointSource,
    ) -> Result<(DataVersion, Vec<SchemaVersion>), StoreError> {
        self.postgres
            .run("reading the metric types of users", || {
                self.postgres.metric_types_of_users(users, points)
            })
            .await
    }

    async fn create(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError> {
        self.postgres
            .run_tx("creating a metric type", || {
                self.postgres.create_metric_type(definition)
            })
            .await?
    }

    async fn update(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError> {
        self.postgres
            .run_tx("changing a metric type", || {
                self.postgres.update_metric_type(definition)
            })
            .await?
    }

    async fn delete(&self, series: &str) -> Result<(), ChangeError> {
        self.postgres
            .run_tx("deleting a metric type", || {
                self.postgres.delete_metric_type(series)
            })
            .await?
    }
}

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    include_str!("changes.sql"),
    include_str!("read_metric_type.sql"),
    include_str!("update_texts.sql"),
    include_str!("of_users_by_days.sql"),
    include_str!("of_users_by_blocks.sql"),
    include_str!("current_schemas.sql"),
    include_str!("insert_metric_type.sql"),
    include_str!("update_metric_type.sql"),
    include_str!("delete_metric_type.sql"),
    include_str!("insert_channels.sql"),
    include_str!("delete_channels.sql"),
    include_str!("find_metric_type.sql"),
    include_str!("exclude_ingest.sql"),
    include_str!("has_blocks.sql"),
    include_str!("all_blocks.sql"),
];
