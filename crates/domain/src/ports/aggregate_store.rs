//! The port that aggregate queries scan through.

use std::ops::Range;

use async_trait::async_trait;

use super::StoreError;
use crate::block::Block;
use crate::bucket::DayWindow;
use crate::channel::ChannelId;
use crate::{MetricTypeId, SessionId, Summary, Timestamp, UserId};

/// Which parts of day summaries are needed: the fewer, the quicker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryParts {
    /// Count, sum, least and greatest; the rest may be anything.
    Basic,
    /// Everything.
    Full,
}

/// Which blocks must come with their arrays. Blocks without stored summaries always do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrays {
    /// All blocks.
    Always,
    /// Blocks that one of these ascending instants cuts: it lies after the first point and not after the last.
    WhereCut(Vec<Timestamp>),
}

/// Merge the day summaries of each channel and window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayScan {
    /// The channels.
    pub channels: Vec<ChannelId>,
    /// Windows of whole days, ascending and disjoint.
    pub windows: Vec<DayWindow>,
    /// What is needed of them.
    pub parts: SummaryParts,
}

/// Read the blocks of some metric types that touch some stretches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockScan {
    /// The metric types.
    pub metric_types: Vec<MetricTypeId>,
    /// Ascending and disjoint. A block is read when it has a point at or after the start, and begins before the end, of one.
    pub stretches: Vec<Range<Timestamp>>,
    /// Which blocks come with arrays.
    pub arrays: Arrays,
    /// Whether whole blocks come with their remainder, or with an empty one.
    pub remainder: bool,
}

/// What to read of one user, all in one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRequest {
    /// Whose data.
    pub user_id: UserId,
    /// Blocks of this session only. Day summaries are of all sessions: a request has one or the other.
    pub session_id: Option<SessionId>,
    /// Day summaries to merge.
    pub days: Option<DayScan>,
    /// Blocks to read.
    pub blocks: Vec<BlockScan>,
}

/// The moment that a scan saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanHead {
    /// The user's version; 0 for a user without data.
    pub version: u64,
    /// The catalogue's generation.
    pub generation: u64,
}

/// A block as far as it was needed.
#[derive(Debug, Clone, PartialEq)]
pub struct ScannedBlock {
    /// The session it belongs to.
    pub session_id: SessionId,
    /// The series.
    pub metric_type: MetricTypeId,
    /// Its number within the session.
    pub seq: u32,
    /// Its first time.
    pub t_min: Timestamp,
    /// Its last time.
    pub t_max: Timestamp,
    /// Summaries or arrays.
    pub content: BlockContent,
}

/// Summaries by channel, or everything.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockContent {
    /// The summary of each channel.
    Summaries(Vec<Summary>),
    /// The whole block.
    Whole(Box<Block>),
}

/// Takes what a scan finds, piece by piece, so that no scan needs the memory of its data.
pub trait ScanSink: Send {
    /// The merged day summaries of a channel in the window of that number; at most one a pair.
    ///
    /// # Errors
    /// What ends the scan.
    fn days(&mut self, channel: ChannelId, window: usize, summary: Summary) -> Result<(), StoreError>;

    /// A block; each one once, in any order.
    ///
    /// # Errors
    /// What ends the scan.
    fn block(&mut self, block: ScannedBlock) -> Result<(), StoreError>;
}

/// Reads what aggregates are made of.
#[async_trait]
pub trait AggregateStore: Send + Sync {
    /// What versions the next scan would see at least.
    async fn head(&self, user: UserId) -> Result<ScanHead, StoreError>;

    /// Feeds `sink` from one snapshot.
    async fn scan(&self, request: &ScanRequest, sink: &mut dyn ScanSink) -> Result<ScanHead, StoreError>;
}
