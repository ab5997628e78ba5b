//! The result of a selection: the series that a query reads and those that it skips.

use std::sync::Arc;

use crate::MetricTypeId;
use crate::metric_type::MetricType;
use crate::ports::{CatalogueView, DataVersion, LeafCondition};

/// A series that is read, and the conditions on its points.
#[derive(Debug)]
pub(in crate::query) struct SelectedSeries {
    pub(in crate::query) metric_type: Arc<MetricType>,
    /// The conditions that points must meet.
    pub(in crate::query) conditions: Vec<LeafCondition>,
}

/// The series that a query reads and those that it skips.
pub(in crate::query) struct Selection {
    /// The series to read, ordered by name. May omit series of which the users have no point.
    pub(in crate::query) selected: Vec<SelectedSeries>,
    /// The series that the query cannot read, ordered by name.
    pub(in crate::query) skipped: Vec<Arc<MetricType>>,
    /// The assumptions about metric types that the store checks.
    pub(in crate::query) view: CatalogueView,
    /// The generation of the catalogue that the selection was made from.
    pub(in crate::query) generation: u64,
    /// Digest of the generations of the selected metric types and of the names of the skipped ones.
    pub(in crate::query) digest: u64,
    /// The data version of the selection, if the metric types of the users' points were read from
    /// the store.
    pub(in crate::query) data_version: Option<DataVersion>,
}

impl Selection {
    pub(super) fn new(
        selected: Vec<SelectedSeries>,
        skipped: Vec<Arc<MetricType>>,
        view: CatalogueView,
        generation: u64,
    ) -> Self {
        let mut hash = blake3::Hasher::new();
        for SelectedSeries { metric_type, .. } in &selected {
            hash.update(&metric_type.id.0.to_le_bytes());
            hash.update(&metric_type.generation.to_le_bytes());
        }
        hash.update(b"skipped");
        for metric_type in &skipped {
            hash.update(metric_type.series.as_str().as_bytes());
            hash.update(b" ");
        }
        let mut digest = [0; 8];
        hash.finalize_xof().fill(&mut digest);
        Self {
            selected,
            skipped,
            view,
            generation,
            digest: u64::from_le_bytes(digest),
            data_version: None,
        }
    }

    /// Returns the ids of the selected metric types.
    pub(in crate::query) fn ids(&self) -> Vec<MetricTypeId> {
        self.metric_types()
            .map(|metric_type| metric_type.id)
            .collect()
    }

    /// Returns the selected metric types, ordered by name.
    pub(in crate::query) fn metric_types(&self) -> impl Iterator<Item = &Arc<MetricType>> {
        self.selected.iter().map(|selected| &selected.metric_type)
    }

    /// Returns a data version as an answer from this selection shows it.
    pub(in crate::query) const fn shown(&self, data_version: DataVersion) -> DataVersion {
        DataVersion {
            version: data_version.version,
            generation: self.digest,
        }
    }
}

/// Returns the names of the skipped metric types that have points, in their order.
pub(in crate::query) fn names_of_present(
    skipped: &[Arc<MetricType>],
    present: &[MetricTypeId],
) -> Vec<String> {
    let present = skipped.iter().filter(|t| present.contains(&t.id));
    present.map(|t| t.series.as_str().to_owned()).collect()
}
