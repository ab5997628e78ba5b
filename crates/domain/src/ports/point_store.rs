//! The port that points are read through.

use std::ops::Range;

use async_trait::async_trait;

use super::{CatalogueView, LeafCondition, Presence, ScanHead, ScannedBlock, StoreError};
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::{MetricTypeId, SessionId, Timestamp, UserId};

/// Which way time runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// From the earliest point on.
    #[default]
    Ascending,
    /// From the latest point back.
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

/// Which blocks to read in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct PointScan {
    /// Whose data.
    pub user_id: UserId,
    /// What it assumes about metric types.
    pub view: CatalogueView,
    /// Only this session, if any.
    pub session_id: Option<SessionId>,
    /// The series.
    pub metric_types: Vec<MetricTypeId>,
    /// Of some of these series, what a point must meet: a block may be left out if none of its points does.
    pub conditions: Vec<(MetricTypeId, LeafCondition)>,
    /// A block is read when it has a time in here.
    pub range: Range<Timestamp>,
    /// The metric types to look for without reading them.
    pub presence: Presence,
    /// Ascending: by first time. Descending: by last time, from the latest back.
    pub order: Order,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// There is room for more.
    More,
    /// That is enough.
    Enough,
}

/// Takes blocks in order of time, at its own pace.
#[async_trait]
pub trait BlockSink: Send {
    /// The moment that is seen, and the metric types that [`PointScan::presence`] asked for and that are there; before any
    /// block.
    ///
    /// # Errors
    /// What ends the scan.
    async fn head(&mut self, head: ScanHead, present: Vec<MetricTypeId>) -> Result<(), StoreError>;

    /// The next block, whole.
    ///
    /// # Errors
    /// What ends the scan.
    async fn block(&mut self, block: ScannedBlock) -> Result<Flow, StoreError>;
}

/// What is known of a series of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesExtent {
    /// The series.
    pub metric_type: MetricTypeId,
    /// The time of its first point.
    pub first_time: Timestamp,
    /// The time of its last point.
    pub last_time: Timestamp,
    /// How many points.
    pub points: u64,
    /// How many sessions they are of.
    pub sessions: u64,
}

/// Reads points, and what there is of them. Each method fails with [`StoreError::CatalogueChanged`], before anything is
/// fed, where the view of metric types does not hold in its snapshot.
#[async_trait]
pub trait PointStore: Send + Sync {
    /// Feeds `sink` from one snapshot, until it has enough.
    async fn scan_in_order(
        &self,
        scan: &PointScan,
        sink: &mut dyn BlockSink,
    ) -> Result<(), StoreError>;

    /// The block of each of these series that ends with its last point by (time, session, arrival).
    async fn last_blocks(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        view: &CatalogueView,
    ) -> Result<(ScanHead, Vec<ScannedBlock>), StoreError>;

    /// The extents of those of these series that have points in blocks that touch a range, counted by whole blocks.
    async fn extents(
        &self,
        user: UserId,
        series: &[MetricTypeId],
        range: Range<Timestamp>,
        view: &CatalogueView,
    ) -> Result<(ScanHead, Vec<SeriesExtent>), StoreError>;
}
