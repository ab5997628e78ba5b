//! The state of the catalogue that a request to a store assumes.

use std::ops::Range;

use super::DataVersion;
use crate::Timestamp;
use crate::metric_type::SchemaVersion;

/// The metric types that a request was planned with. The store checks in the snapshot of the
/// request that they are unchanged, and fails with [`super::StoreError::CatalogueChanged`]
/// otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogueView {
    /// The whole catalogue: no metric type may have changed since this generation.
    Whole(u64),
    /// Some metric types: only these must be unchanged.
    Types {
        /// The generation at which the metric types had these versions.
        generation: u64,
        /// The metric types.
        types: Vec<SchemaVersion>,
    },
    /// The metric types of the users' points: the users must not have points of other metric types,
    /// and these must be unchanged.
    OfUsers {
        /// The versions and the generation of the snapshot that the metric types were read from.
        data_version: DataVersion,
        /// The source in which the points were searched.
        points: PointSource,
        /// The metric types.
        types: Vec<SchemaVersion>,
    },
}

/// The source in which a store searches the metric types of users' points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointSource {
    /// The day summaries: finds metric types with a number in a channel.
    DaySummaries,
    /// The blocks: finds metric types with a point in this range, and possibly others.
    Blocks(Range<Timestamp>),
}

impl PointSource {
    /// Returns whether this source finds every metric type that `other` finds.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Blocks(range), Self::Blocks(other)) => {
                range.start <= other.start && other.end <= range.end
            }
            (Self::DaySummaries, Self::DaySummaries) => true,
            _ => false,
        }
    }
}
