//! Stored metric types.

mod change_metric_type;
mod read_catalogue;

use async_trait::async_trait;
use time_series_domain::metric_type::MetricTypeDefinition;
use time_series_domain::ports::{ChangeError, MetricTypeStore, StoreError};
use time_series_domain::{Catalogue, MetricType};

use super::pool::Postgres;

#[async_trait]
impl MetricTypeStore for Postgres {
    async fn catalogue(&self) -> Result<Catalogue, StoreError> {
        self.run("reading the catalogue", || self.read_catalogue()).await
    }

    async fn generation(&self) -> Result<u64, StoreError> {
        self.run("reading the catalogue's generation", || self.read_generation()).await
    }

    async fn create(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError> {
        self.run("creating a metric type", || self.create_metric_type(definition)).await?
    }

    async fn update(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError> {
        self.run("changing a metric type", || self.update_metric_type(definition)).await?
    }

    async fn delete(&self, series: &str) -> Result<(), ChangeError> {
        self.run("deleting a metric type", || self.delete_metric_type(series)).await?
    }
}

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    include_str!("read_metric_types.sql"),
    include_str!("insert_metric_type.sql"),
    include_str!("update_metric_type.sql"),
    include_str!("delete_metric_type.sql"),
    include_str!("insert_channels.sql"),
    include_str!("delete_channels.sql"),
    include_str!("find_metric_type.sql"),
    include_str!("exclude_ingest.sql"),
    include_str!("generation.sql"),
    include_str!("raise_generation.sql"),
    include_str!("has_blocks.sql"),
    include_str!("all_blocks.sql"),
];
