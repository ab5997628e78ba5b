//! The port that aggregate queries scan through.

use std::ops::Range;

use async_trait::async_trait;

use super::{CatalogueView, StoreError};
use crate::block::Block;
use crate::bucket::DayWindow;
use crate::channel::ChannelId;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::{MetricTypeId, SessionId, Summary, Timestamp, UserId};

/// The parts of day summaries that are needed. Fewer parts are faster to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryParts {
    /// Count, sum, least and greatest value; the other parts are undefined.
    Basic,
    /// All parts.
    Full,
}

/// The blocks that must be read with their arrays. Blocks without stored summaries always are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrays {
    /// All blocks.
    Always,
    /// Blocks that one of these ascending instants cuts: the instant is after the first point and
    /// not after the last.
    WhereCut(Vec<Timestamp>),
}

/// A condition on a number of a point. A point without the number does not meet it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeafCondition {
    /// The index of the channel in the metric type.
    pub channel: usize,
    /// The least number of the interval, inclusive.
    pub least: f64,
    /// The greatest number of the interval, inclusive.
    pub greatest: f64,
    /// True if the number must lie outside the interval.
    pub outside: bool,
}

/// The points of a block that meet a condition, according to the block's summaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockMatch {
    /// All points.
    All,
    /// No points.
    None,
    /// Unknown without the arrays.
    Some,
}

impl LeafCondition {
    /// Returns whether a number meets the condition.
    #[must_use]
    pub fn admits(&self, number: f64) -> bool {
        (self.least <= number && number <= self.greatest) != self.outside
    }

    /// Evaluates the condition on the summaries of a block of `points` points.
    #[must_use]
    pub fn block_match(&self, summaries: &[Summary], points: u64) -> BlockMatch {
        let Some(summary) = summaries.get(self.channel) else {
            return BlockMatch::None;
        };
        let (Some(min), Some(max)) = (summary.min(), summary.max()) else {
            return BlockMatch::None;
        };
        let inside = self.least <= min && max <= self.greatest;
        let apart = max < self.least || self.greatest < min;
        let (all, none) = if self.outside {
            (apart, inside)
        } else {
            (inside, apart)
        };
        if none {
            BlockMatch::None
        } else if all && summary.count() == points {
            BlockMatch::All
        } else {
            BlockMatch::Some
        }
    }
}

/// A request to merge the day summaries of each channel and window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayScan {
    /// The channels.
    pub channels: Vec<ChannelId>,
    /// Windows of whole days, ascending and disjoint.
    pub windows: Vec<DayWindow>,
    /// The parts of the summaries that are needed.
    pub parts: SummaryParts,
    /// True to keep the summaries of users apart. Otherwise the store may merge them.
    pub by_user: bool,
}

/// A request to read the blocks of some metric types that overlap some time ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockScan {
    /// The metric types.
    pub metric_types: Vec<MetricTypeId>,
    /// Time ranges, ascending and disjoint. A block is read if it has a point at or after the
    /// start, and begins before the end, of a range.
    pub ranges: Vec<Range<Timestamp>>,
    /// The blocks that are read with their arrays.
    pub arrays: Arrays,
    /// True if blocks are read with their remainder; otherwise it is empty.
    pub remainder: bool,
    /// Conditions on points. Blocks of which no point meets them, according to their summaries, are
    /// omitted; all points of blocks without arrays meet them.
    pub conditions: Vec<LeafCondition>,
}

/// A request to find which metric types the users have points of in a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// The metric types; empty to request nothing.
    pub metric_types: Vec<MetricTypeId>,
    /// The range. A metric type is present if one of its blocks overlaps it.
    pub range: Range<Timestamp>,
}

/// A scan of one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanRequest {
    /// The users whose data are read.
    pub users: Vec<UserId>,
    /// The assumptions about metric types.
    pub view: CatalogueView,
    /// Restriction to the blocks of one session. Day summaries contain all sessions, so that a
    /// request has either.
    pub session_id: Option<SessionId>,
    /// The range in which a session must have a point for its start to be read; `None` if no start
    /// is needed.
    pub starts: Option<Range<Timestamp>>,
    /// Day summaries to merge.
    pub days: Option<DayScan>,
    /// Blocks to read.
    pub blocks: Vec<BlockScan>,
    /// The metric types to look for without reading them.
    pub presence: Presence,
}

/// The version of the data that a snapshot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataVersion {
    /// The user's version; 0 for a user without data. The sum of the versions of several users,
    /// which rises with each of them.
    pub version: u64,
    /// The generation of the catalogue. For an answer, a digest of the metric types that it depends
    /// on.
    pub generation: u64,
}

impl Fingerprinted for DataVersion {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self {
            version,
            generation,
        } = self;
        hasher
            .field("version", version)
            .field("generation", generation);
    }
}

/// A block, with or without its arrays.
#[derive(Debug, Clone, PartialEq)]
pub struct ScannedBlock {
    /// The user that owns the block.
    pub user_id: UserId,
    /// The session of the block.
    pub session_id: SessionId,
    /// The series.
    pub metric_type: MetricTypeId,
    /// The sequence number within the session.
    pub seq: u32,
    /// The time of the first point.
    pub t_min: Timestamp,
    /// The time of the last point.
    pub t_max: Timestamp,
    /// The summaries or the whole block.
    pub content: BlockContent,
}

/// The part of a block that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockContent {
    /// The summary of each channel.
    Summaries(Vec<Summary>),
    /// The whole block.
    Whole(Box<Block>),
}

/// Receives the rows of a scan one by one, so that no scan holds all its data in memory.
pub trait ScanSink: Send {
    /// Receives the merged day summaries of a channel in the window of that number; those of one
    /// user if users are kept apart.
    ///
    /// # Errors
    /// Any error ends the scan.
    fn days(
        &mut self,
        user: Option<UserId>,
        channel: ChannelId,
        window: usize,
        summary: Summary,
    ) -> Result<(), StoreError>;

    /// Receives the start of a session, or the time of its first point if it has no start. Called
    /// before any block of the session.
    ///
    /// # Errors
    /// Any error ends the scan.
    fn session(
        &mut self,
        user: UserId,
        session: SessionId,
        start: Timestamp,
    ) -> Result<(), StoreError>;

    /// Receives a block. Each block is passed once, in any order.
    ///
    /// # Errors
    /// Any error ends the scan.
    fn block(&mut self, block: ScannedBlock) -> Result<(), StoreError>;

    /// Receives the metric types that [`ScanRequest::presence`] requested and that are present. Not
    /// called if none were requested.
    fn present(&mut self, _metric_types: Vec<MetricTypeId>) {}
}

/// Reads day summaries and blocks for aggregate queries.
#[async_trait]
pub trait AggregateStore: Send + Sync {
    /// Returns the minimum data version that the next scan would see.
    async fn data_version(&self, users: &[UserId]) -> Result<DataVersion, StoreError>;

    /// Passes the requested data to `sink`, from one snapshot.
    ///
    /// # Errors
    /// [`StoreError::CatalogueChanged`], before any data are passed, if the request's view does not
    /// hold in the snapshot.
    async fn scan(
        &self,
        request: &ScanRequest,
        sink: &mut dyn ScanSink,
    ) -> Result<DataVersion, StoreError>;
}
