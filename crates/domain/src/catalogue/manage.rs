//! Use case: list and change metric types.

use std::sync::Arc;

use super::cache::CatalogueCache;
use crate::metric_type::{Catalogue, MetricType, MetricTypeDefinition};
use crate::ports::{ChangeError, MetricTypeStore, StoreError};

/// The reason for which a metric type was not changed.
pub type ManageError = ChangeError;

/// Lists and changes metric types, and updates the catalogue of this process.
pub struct MetricTypes {
    store: Arc<dyn MetricTypeStore>,
    catalogue: Arc<CatalogueCache>,
}

impl MetricTypes {
    /// Creates the use case over its ports.
    #[must_use]
    pub const fn new(store: Arc<dyn MetricTypeStore>, catalogue: Arc<CatalogueCache>) -> Self {
        Self { store, catalogue }
    }

    /// Returns all current metric types, including those created by other processes.
    ///
    /// # Errors
    /// [`StoreError`] of the store.
    pub async fn list(&self) -> Result<Arc<Catalogue>, StoreError> {
        self.catalogue.latest(self.store.as_ref()).await
    }

    /// Adds a metric type.
    ///
    /// # Errors
    /// [`ChangeError::Exists`] if the name is taken, or the error of the store.
    pub async fn create(
        &self,
        definition: &MetricTypeDefinition,
    ) -> Result<MetricType, ChangeError> {
        let created = self.store.create(definition).await?;
        self.catalogue.latest(self.store.as_ref()).await?;
        Ok(created)
    }

    /// Changes a metric type.
    ///
    /// # Errors
    /// [`ChangeError`] if the metric type is absent or if stored points do not match the new
    /// schema.
    pub async fn update(
        &self,
        definition: &MetricTypeDefinition,
    ) -> Result<MetricType, ChangeError> {
        let updated = self.store.update(definition).await?;
        self.catalogue.latest(self.store.as_ref()).await?;
        Ok(updated)
    }

    /// Deletes a metric type without points.
    ///
    /// # Errors
    /// [`ChangeError`] if the metric type is absent or has points.
    pub async fn delete(&self, series: &str) -> Result<(), ChangeError> {
        self.store.delete(series).await?;
        self.catalogue.latest(self.store.as_ref()).await?;
        Ok(())
    }
}
