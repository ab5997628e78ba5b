//! The use case: list and change metric types.

use std::sync::Arc;

use super::{Catalogue, CatalogueCache, MetricType, MetricTypeDefinition};
use crate::ports::{ChangeError, MetricTypeStore, StoreError};

/// Why a metric type was not changed.
pub type ManageError = ChangeError;

/// Lists and changes metric types; keeps this process's catalogue up to date.
pub struct MetricTypes {
    store: Arc<dyn MetricTypeStore>,
    catalogue: Arc<CatalogueCache>,
}

impl MetricTypes {
    /// The use case over its ports.
    #[must_use]
    pub const fn new(store: Arc<dyn MetricTypeStore>, catalogue: Arc<CatalogueCache>) -> Self {
        Self { store, catalogue }
    }

    /// All metric types now, also those that another process made.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self) -> Result<Arc<Catalogue>, StoreError> {
        self.catalogue.latest(self.store.as_ref()).await
    }

    /// Adds a metric type.
    ///
    /// # Errors
    /// [`ChangeError::Exists`], or what the store says.
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
    /// [`ChangeError`] when it is absent or stored points would no longer fit.
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
    /// [`ChangeError`] when it is absent or has points.
    pub async fn delete(&self, series: &str) -> Result<(), ChangeError> {
        self.store.delete(series).await?;
        self.catalogue.latest(self.store.as_ref()).await?;
        Ok(())
    }
}
