//! All metric types at one moment.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{MetricType, MetricTypeId};
use crate::ports::{MetricTypeStore, StoreError};

/// Names at most so far away (Damerau-Levenshtein) are suggested for a misspelt one.
const SUGGESTION_DISTANCE: usize = 4;
/// Longer names are no misspelling, and comparing them would take long.
const LONGEST_MISSPELT: usize = 255;
const MAX_SUGGESTIONS: usize = 3;

/// The metric types of one generation. Every change of any metric type starts a new generation.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// Raised by every change.
    pub generation: u64,
    by_name: BTreeMap<String, Arc<MetricType>>,
}

impl Catalogue {
    /// A catalogue of `types`.
    #[must_use]
    pub fn new(generation: u64, types: impl IntoIterator<Item = MetricType>) -> Self {
        let named = |t: MetricType| (t.series.as_str().to_owned(), Arc::new(t));
        Self { generation, by_name: types.into_iter().map(named).collect() }
    }

    /// The metric type of that name.
    #[must_use]
    pub fn get(&self, series: &str) -> Option<&Arc<MetricType>> {
        self.by_name.get(series)
    }

    /// The metric type of that number.
    #[must_use]
    pub fn by_id(&self, id: MetricTypeId) -> Option<&Arc<MetricType>> {
        self.by_name.values().find(|t| t.id == id)
    }

    /// All metric types, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<MetricType>> {
        self.by_name.values()
    }

    /// Existing names near to `name`, nearest first.
    #[must_use]
    pub fn suggestions(&self, name: &str) -> Vec<String> {
        if name.len() > LONGEST_MISSPELT {
            return Vec::new();
        }
        let name = name.to_lowercase();
        let distance = |n: &&String| strsim::damerau_levenshtein(&n.to_lowercase(), &name);
        let mut near: Vec<&String> = self
            .by_name
            .keys()
            .filter(|n| distance(n) <= SUGGESTION_DISTANCE || n.to_lowercase().contains(&name))
            .collect();
        near.sort_by_key(distance);
        near.into_iter().take(MAX_SUGGESTIONS).cloned().collect()
    }
}

/// The last catalogue that was seen. Whoever finds it too old asks for a newer one.
#[derive(Debug, Default)]
pub struct CatalogueCache {
    current: RwLock<Option<Arc<Catalogue>>>,
}

impl CatalogueCache {
    /// The catalogue last seen, loaded if none was.
    ///
    /// # Errors
    /// What the store says.
    pub async fn current(&self, store: &dyn MetricTypeStore) -> Result<Arc<Catalogue>, StoreError> {
        let seen = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        match seen {
            Some(catalogue) => Ok(catalogue),
            None => self.reload(store).await,
        }
    }

    /// The catalogue last seen, if it is still the store's, else the store's.
    ///
    /// # Errors
    /// What the store says.
    pub async fn fresh(&self, store: &dyn MetricTypeStore) -> Result<Arc<Catalogue>, StoreError> {
        let seen = self.current(store).await?;
        if store.generation().await? == seen.generation { Ok(seen) } else { self.reload(store).await }
    }

    /// The store's catalogue now.
    ///
    /// # Errors
    /// What the store says.
    pub async fn reload(&self, store: &dyn MetricTypeStore) -> Result<Arc<Catalogue>, StoreError> {
        let fresh = Arc::new(store.catalogue().await?);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|c| c.generation <= fresh.generation) {
            *current = Some(Arc::clone(&fresh));
        }
        Ok(fresh)
    }
}
