//! Cache of the newest catalogue, updated incrementally.

use std::sync::{Arc, PoisonError, RwLock};

use crate::metric_type::Catalogue;
use crate::ports::{MetricTypeStore, StoreError};

/// The newest catalogue that was read from the store.
#[derive(Debug, Default)]
pub struct CatalogueCache {
    newest: RwLock<Option<Arc<Catalogue>>>,
}

impl CatalogueCache {
    /// Returns the cached catalogue, without a request to the store; reads it if nothing is cached.
    ///
    /// # Errors
    /// [`StoreError`] of the store.
    pub async fn known(&self, store: &dyn MetricTypeStore) -> Result<Arc<Catalogue>, StoreError> {
        match self.newest() {
            Some(catalogue) => Ok(catalogue),
            None => self.latest(store).await,
        }
    }

    /// Returns the store's catalogue at the time of the call, or a newer one. Reads only the
    /// changes since the cached catalogue.
    ///
    /// # Errors
    /// [`StoreError`] of the store.
    pub async fn latest(&self, store: &dyn MetricTypeStore) -> Result<Arc<Catalogue>, StoreError> {
        let known = self.newest();
        let changes = store
            .changes(known.as_ref().map(|known| known.generation))
            .await?;
        let is_whole = changes.is_whole;
        let latest = match known {
            Some(known) if known.generation == changes.generation => return Ok(known),
            Some(known) => Arc::new(known.with_changes(changes)),
            None => Arc::new(Catalogue::default().with_changes(changes)),
        };
        let mut newest = self.newest.write().unwrap_or_else(PoisonError::into_inner);
        match newest.as_ref() {
            // After a whole read, a lower generation is valid: the store may have been restored
            // from a backup.
            Some(other) if !is_whole && latest.generation <= other.generation => {
                Ok(Arc::clone(other))
            }
            _ => Ok(Arc::clone(newest.insert(latest))),
        }
    }

    fn newest(&self) -> Option<Arc<Catalogue>> {
        self.newest
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
