//! What a request to a store assumes about metric types.

use std::ops::Range;

use super::DataVersion;
use crate::Timestamp;
use crate::metric_type::SchemaVersion;

/// The metric types as a request was made from them. A store checks in the snapshot of the request that they are still so,
/// and fails with [`super::StoreError::CatalogueChanged`] otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogueView {
    /// The whole catalogue: no metric type may have changed since this generation.
    Whole(u64),
    /// Some metric types: only these must be as they were.
    Types {
        /// The generation at which they were so.
        generation: u64,
        /// The metric types.
        types: Vec<SchemaVersion>,
    },
    /// The metric types of the users' points: the users must have points of no other ones, and these must be as they were.
    OfUsers {
        /// The versions and the generation at which it was so.
        data_version: DataVersion,
        /// Where the points were looked for.
        points: PointSource,
        /// The metric types.
        types: Vec<SchemaVersion>,
    },
}

/// Where a store looks for the metric types of users' points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointSource {
    /// The day summaries: metric types of which the users have a number in a channel.
    DaySummaries,
    /// The blocks: metric types with a point in this range; others may be among them.
    Blocks(Range<Timestamp>),
}

impl PointSource {
    /// Whether it shows every metric type that `other` shows.
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
