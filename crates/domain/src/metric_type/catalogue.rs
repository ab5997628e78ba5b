//! All metric types as of one generation.

use std::sync::{Arc, PoisonError, RwLock};

use super::shared_map::SharedMap;
use super::{MetricType, MetricTypeId};
use crate::channel::Pointer;
use crate::ports::{CatalogueChanges, MetricTypeStore, StoreError};

/// Names at most so far away (Damerau-Levenshtein) are suggested for a misspelt one.
const SUGGESTION_DISTANCE: usize = 4;
/// Longer names are no misspelling, and comparing them would take long.
const LONGEST_MISSPELT: usize = 255;
const MAX_SUGGESTIONS: usize = 3;
/// Maximum names on each side of a misspelt one, in name order, that are compared with it.
const COMPARED_NAMES: usize = 500;

type Types<K> = SharedMap<K, Arc<MetricType>>;

/// The metric types as of one generation. Copies share the types that did not change.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// The number of the last change that it has.
    pub generation: u64,
    by_name: Types<Arc<str>>,
    by_id: Types<MetricTypeId>,
    /// By channels, then by name: whether a query can use a metric type depends on its channels only.
    by_channels: SharedMap<Arc<[Pointer]>, Types<Arc<str>>>,
}

impl Catalogue {
    /// A catalogue of `types`.
    #[must_use]
    pub fn new(generation: u64, types: impl IntoIterator<Item = MetricType>) -> Self {
        let mut catalogue = Self {
            generation,
            ..Self::default()
        };
        types
            .into_iter()
            .for_each(|metric_type| catalogue.put(metric_type));
        catalogue
    }

    /// Returns the catalogue after `changes`, which are those since its generation, or everything.
    #[must_use]
    pub fn with(&self, changes: CatalogueChanges) -> Self {
        let mut catalogue = if changes.is_whole {
            Self::default()
        } else {
            self.clone()
        };
        catalogue.generation = changes.generation;
        changes
            .deleted
            .into_iter()
            .for_each(|id| catalogue.remove(id));
        changes
            .changed
            .into_iter()
            .for_each(|metric_type| catalogue.put(metric_type));
        catalogue
    }

    /// The metric type of that name.
    #[must_use]
    pub fn get(&self, series: &str) -> Option<&Arc<MetricType>> {
        self.by_name.get(series)
    }

    /// The metric type of that number.
    #[must_use]
    pub fn by_id(&self, id: MetricTypeId) -> Option<&Arc<MetricType>> {
        self.by_id.get(&id)
    }

    /// Number of metric types.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether it has no metric type.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.by_name.len() == 0
    }

    /// All metric types, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<MetricType>> {
        self.by_name.values()
    }

    /// The metric types whose names come after `name`, by name.
    pub fn iter_after(&self, name: &str) -> impl Iterator<Item = &Arc<MetricType>> {
        self.by_name.values_after(name)
    }

    /// The metric types, by name, of those channels that `selects` selects by a metric type with them.
    pub(crate) fn iter_by_channels(
        &self,
        selects: impl Fn(&MetricType) -> bool,
    ) -> impl Iterator<Item = &Arc<MetricType>> {
        let selects =
            move |types: &&Types<Arc<str>>| types.values().next().is_some_and(|one| selects(one));
        self.by_channels
            .values()
            .filter(selects)
            .flat_map(Types::values)
    }

    /// Existing names near to `name`, nearest first.
    #[must_use]
    pub fn suggestions(&self, name: &str) -> Vec<String> {
        if name.len() > LONGEST_MISSPELT {
            return Vec::new();
        }
        let before = self.by_name.values_until(name).take(COMPARED_NAMES);
        let compared = before.chain(self.by_name.values_after(name).take(COMPARED_NAMES));
        let name = name.to_lowercase();
        let near = |known: &Arc<MetricType>| {
            let known = known.series.as_str();
            let lower = known.to_lowercase();
            let distance = strsim::damerau_levenshtein(&lower, &name);
            (distance <= SUGGESTION_DISTANCE || lower.contains(&name))
                .then(|| (distance, known.to_owned()))
        };
        let mut near: Vec<(usize, String)> = compared.filter_map(near).collect();
        near.sort();
        near.into_iter()
            .take(MAX_SUGGESTIONS)
            .map(|(_, name)| name)
            .collect()
    }

    fn put(&mut self, metric_type: MetricType) {
        self.remove(metric_type.id);
        let (name, metric_type) = (
            Arc::<str>::from(metric_type.series.as_str()),
            Arc::new(metric_type),
        );
        let channels: Arc<[Pointer]> = metric_type.pointers().into();
        let mut alike = self.by_channels.get(&channels).cloned().unwrap_or_default();
        alike.insert(Arc::clone(&name), Arc::clone(&metric_type));
        self.by_channels.insert(channels, alike);
        self.by_id.insert(metric_type.id, Arc::clone(&metric_type));
        self.by_name.insert(name, metric_type);
    }

    fn remove(&mut self, id: MetricTypeId) {
        let Some(removed) = self.by_id.remove(&id) else {
            return;
        };
        let name = removed.series.as_str();
        let channels: Arc<[Pointer]> = removed.pointers().into();
        let mut alike = self.by_channels.remove(&channels).unwrap_or_default();
        alike.remove(name);
        if alike.len() > 0 {
            self.by_channels.insert(channels, alike);
        }
        // Another one may have got the name since.
        if self.by_name.get(name).is_some_and(|known| known.id == id) {
            self.by_name.remove(name);
        }
    }
}

/// The newest catalogue that was read, brought up to date by what changed since.
#[derive(Debug, Default)]
pub struct CatalogueCache {
    newest: RwLock<Option<Arc<Catalogue>>>,
}

impl CatalogueCache {
    /// Returns the newest catalogue that was read, without a request to the store if there is one.
    ///
    /// # Errors
    /// [`StoreError`] of the store.
    pub async fn known(&self, store: &dyn MetricTypeStore) -> Result<Arc<Catalogue>, StoreError> {
        match self.newest() {
            Some(catalogue) => Ok(catalogue),
            None => self.latest(store).await,
        }
    }

    /// Returns the store's catalogue as of now, or a later one. Reads only what changed since the one before.
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
            Some(known) => Arc::new(known.with(changes)),
            None => Arc::new(Catalogue::default().with(changes)),
        };
        let mut newest = self.newest.write().unwrap_or_else(PoisonError::into_inner);
        match newest.as_ref() {
            // Where everything was read, the store may have been set back to an earlier state.
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
