//! The port that raw points are read through.

use std::ops::{ControlFlow, Range};

use async_trait::async_trait;

use super::{CatalogueView, DataVersion, LeafCondition, Presence, ScannedBlock, StoreError};
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::{MetricTypeId, SessionId, Timestamp, UserId};

/// The order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// From the earliest point.
    #[default]
    Ascending,
    /// From the latest point.
    Descending,
}

impl Fingerprinted for Order {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        });
    }
}

/// A scan of blocks in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct PointScan {
    /// The user whose data are read.
    pub user_id: UserId,
    /// The assumptions about metric types.
    pub view: CatalogueView,
    /// Restriction to one session.
    pub session_id: Option<SessionId>,
    /// The series.
    pub metric_types: Vec<MetricTypeId>,
    /// Conditions on the points of some of these series. A block may be omitted if none of its
    /// points meets them.
    pub conditions: Vec<(MetricTypeId, LeafCondition)>,
    /// The time range. A block is read if it has a time in the range.
    pub range: Range<Timestamp>,
    /// The metric types to look for without reading them.
    pub presence: Presence,
    /// Ascending by first time, or descending by last time.
    pub order: Order,
}

/// Receives blocks in order of time and controls the pace.
#[async_trait]
pub trait BlockSink: Send {
    /// Receives the data version, and the metric types that [`PointScan::presence`] requested and
    /// that are present. Called before any block.
    ///
    /// # Errors
    /// Any error ends the scan.
    async fn begin(
        &mut self,
        data_version: DataVersion,
        present: Vec<MetricTypeId>,
    ) -> Result<(), StoreError>;

    /// Receives the next block, with its arrays. Breaks if the sink needs no more blocks.
    ///
    /// # Errors
    /// Any error ends the scan.
    async fn block(&mut self, block: ScannedBlock) -> Result<ControlFlow<()>, StoreError>;
}

/// The extent of a series of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesExtent {
    /// The series.
    pub metric_type: MetricTypeId,
    /// The time of the first point.
    pub first_time: Timestamp,
    /// The time of the last point.
    pub last_time: Timestamp,
    /// The number of points.
    pub points: u64,
    /// The number of sessions with points.
    pub sessions: u64,
}

/// Reads points and the extents of series. Each method fails with [`StoreError::CatalogueChanged`],
/// before any data are passed, if the view of metric types does not hold in its snapshot.
#[async_trait]
pub trait PointStore: Send + Sync {
    /// Passes blocks to `sink` from one snapshot until the sink breaks.
    async fn scan_in_order(
        &self,
        scan: &PointScan,
        sink: &mut dyn BlockSink,
    ) -> Result<(), StoreError>;

    /// Returns for each series the block that ends with its last point by (time, session, arrival).
    async fn last_blocks(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        view: &CatalogueView,
    ) -> Result<(DataVersion, Vec<ScannedBlock>), StoreError>;

    /// Returns the extents of the series that have points in blocks that overlap a range, counted
    /// by whole blocks.
    async fn extents(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        range: Range<Timestamp>,
        view: &CatalogueView,
    ) -> Result<(DataVersion, Vec<SeriesExtent>), StoreError>;
}
