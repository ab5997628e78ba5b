//! Changes of the catalogue between two generations.

use super::ids::MetricTypeId;
use super::metric_type::MetricType;

/// The metric types that changed between two generations of the catalogue.
#[derive(Debug, Clone, Default)]
pub struct CatalogueChanges {
    /// The current generation of the catalogue.
    pub generation: u64,
    /// True if `changed` contains all metric types, instead of only those that changed.
    pub is_whole: bool,
    /// The current state of the metric types that were created or changed.
    pub changed: Vec<MetricType>,
    /// The numbers of the deleted metric types, which are never reused.
    pub deleted: Vec<MetricTypeId>,
}
