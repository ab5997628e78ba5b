//! Numbers of metric types, and versions of their schemas.

use crate::fingerprint::{FingerprintHasher, Fingerprinted};

/// The number of a metric type in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricTypeId(pub i32);

/// The number of a metric type, and the generation of its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaVersion {
    /// The metric type.
    pub metric_type: MetricTypeId,
    /// The generation of the catalogue at the last change of the schema or channels.
    pub generation: u64,
}

impl Fingerprinted for MetricTypeId {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self(id) = self;
        id.feed(hasher);
    }
}
