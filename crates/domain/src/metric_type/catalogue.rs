//! The catalogue: all metric types of one generation.

use std::sync::Arc;

use super::changes::CatalogueChanges;
use super::ids::MetricTypeId;
use super::metric_type::MetricType;
use super::shared_map::SharedMap;
use crate::json::Pointer;

/// Maximum Damerau-Levenshtein distance of a suggestion from a misspelt name.
const SUGGESTION_DISTANCE: usize = 4;
/// Maximum length of a name that suggestions are computed for, in bytes; bounds the work.
const MAX_MISSPELT: usize = 255;
/// Maximum number of suggestions.
const MAX_SUGGESTIONS: usize = 3;
/// Number of names on each side of a misspelt one, in name order, that are compared with it.
const COMPARED_NAMES: usize = 500;

type Types<K> = SharedMap<K, Arc<MetricType>>;

/// The metric types of one generation. Copies share the metric types that did not change.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// The number of the last change in the catalogue.
    pub generation: u64,
    by_name: Types<Arc<str>>,
    by_id: Types<MetricTypeId>,
    /// By channels, then by name: only the channels of a metric type decide whether a query can use
    /// it.
    by_channels: SharedMap<Arc<[Pointer]>, Types<Arc<str>>>,
}

impl Catalogue {
    /// Creates a catalogue of `types`.
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

    /// Returns the catalogue with `changes`, which must start at its generation or contain all
    /// metric types.
    #[must_use]
    pub fn with_changes(&self, changes: CatalogueChanges) -> Self {
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

    /// Returns the metric type with a name.
    #[must_use]
    pub fn get(&self, series: &str) -> Option<&Arc<MetricType>> {
        self.by_name.get(series)
    }

    /// Returns the metric type with a number.
    #[must_use]
    pub fn by_id(&self, id: MetricTypeId) -> Option<&Arc<MetricType>> {
        self.by_id.get(&id)
    }

    /// Returns the number of metric types.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Returns whether there are no metric types.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.by_name.len() == 0
    }

    /// Returns all metric types, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<MetricType>> {
        self.by_name.values()
    }

    /// Returns the metric types with names after `name`, sorted by name.
    pub fn iter_after(&self, name: &str) -> impl Iterator<Item = &Arc<MetricType>> {
        self.by_name.values_after(name)
    }

    /// Returns the metric types of the sets of channels that `selects` accepts, by set and then by
    /// name.
    ///
    /// `selects` is called with one metric type of each set, and must depend on the channels only.
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

    /// Returns existing names that are similar to `name`, most similar first.
    #[must_use]
    pub fn suggestions(&self, name: &str) -> Vec<String> {
        if name.len() > MAX_MISSPELT {
            return Vec::new();
        }
        let before = self.by_name.values_until(name).take(COMPARED_NAMES);
        let compared = before.chain(self.by_name.values_after(name).take(COMPARED_NAMES));
        let name = name.to_lowercase();
        let similar = |known: &Arc<MetricType>| {
            let known = known.series.as_str();
            let lower = known.to_lowercase();
            let distance = strsim::damerau_levenshtein(&lower, &name);
            (distance <= SUGGESTION_DISTANCE || lower.contains(&name))
                .then(|| (distance, known.to_owned()))
        };
        let mut similar: Vec<(usize, String)> = compared.filter_map(similar).collect();
        similar.sort();
        similar
            .into_iter()
            .take(MAX_SUGGESTIONS)
            .map(|(_, name)| name)
            .collect()
    }

    fn put(&mut self, metric_type: MetricType) {
        self.remove(metric_type.id);
        let name: Arc<str> = metric_type.series.as_str().into();
        let metric_type = Arc::new(metric_type);
        let channels: Arc<[Pointer]> = metric_type.pointers().into();
        let mut same_channels = self.by_channels.get(&channels).cloned().unwrap_or_default();
        same_channels.insert(Arc::clone(&name), Arc::clone(&metric_type));
        self.by_channels.insert(channels, same_channels);
        self.by_id.insert(metric_type.id, Arc::clone(&metric_type));
        self.by_name.insert(name, metric_type);
    }

    fn remove(&mut self, id: MetricTypeId) {
        let Some(removed) = self.by_id.remove(&id) else {
            return;
        };
        let name = removed.series.as_str();
        let channels: Arc<[Pointer]> = removed.pointers().into();
        let mut same_channels = self.by_channels.remove(&channels).unwrap_or_default();
        same_channels.remove(name);
        if same_channels.len() > 0 {
            self.by_channels.insert(channels, same_channels);
        }
        // Another metric type may have the name now.
        if self.by_name.get(name).is_some_and(|known| known.id == id) {
            self.by_name.remove(name);
        }
    }
}
