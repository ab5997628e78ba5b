//! The port that aggregate queries scan through.

use std::ops::Range;

use async_trait::async_trait;

use super::{CatalogueView, StoreError};
use crate::block::Block;
use crate::bucket::DayWindow;
use crate::channel::ChannelId;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
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

/// What a number of a point must be; a point without it fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeafCondition {
    /// The channel's place in the metric type.
    pub channel: usize,
    /// The least number of the interval, included.
    pub least: f64,
    /// The greatest number of the interval, included.
    pub greatest: f64,
    /// Whether the number must lie outside of the interval.
    pub outside: bool,
}

/// Which points of a block meet a condition, as its summaries tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All of them.
    All,
    /// None of them.
    None,
    /// The arrays must tell.
    Some,
}

impl LeafCondition {
    /// Whether a number meets it.
    #[must_use]
    pub fn admits(&self, number: f64) -> bool {
        (self.least <= number && number <= self.greatest) != self.outside
    }

    /// What a block of `points` with these summaries tells.
    #[must_use]
    pub fn verdict(&self, summaries: &[Summary], points: u64) -> Verdict {
        let Some(summary) = summaries.get(self.channel) else {
            return Verdict::None;
        };
        let (Some(min), Some(max)) = (summary.min(), summary.max()) else {
            return Verdict::None;
        };
        let inside = self.least <= min && max <= self.greatest;
        let apart = max < self.least || self.greatest < min;
        let (all, none) = if self.outside {
            (apart, inside)
        } else {
            (inside, apart)
        };
        if none {
            Verdict::None
        } else if all && summary.count() == points {
            Verdict::All
        } else {
            Verdict::Some
        }
    }
}

/// Merge the day summaries of each channel and window, over all users or by user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayScan {
    /// The channels.
    pub channels: Vec<ChannelId>,
    /// Windows of whole days, ascending and disjoint.
    pub windows: Vec<DayWindow>,
    /// What is needed of them.
    pub parts: SummaryParts,
    /// Whether users are told apart; otherwise they may be merged or not.
    pub by_user: bool,
}

/// Read the blocks of some metric types that touch some stretches.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockScan {
    /// The metric types.
    pub metric_types: Vec<MetricTypeId>,
    /// Ascending and disjoint. A block is read when it has a point at or after the start, and begins before the end, of one.
    pub stretches: Vec<Range<Timestamp>>,
    /// Which blocks come with arrays.
    pub arrays: Arrays,
    /// Whether whole blocks come with their remainder, or with an empty one.
    pub remainder: bool,
    /// Conditions on points. Blocks of which none meets them are left out, as far as their summaries tell; blocks
    /// that come with summaries meet them as a whole.
    pub conditions: Vec<LeafCondition>,
}

/// A question beside a scan: of which of some metric types do the users have points in a range?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// The metric types; empty if nothing is asked.
    pub metric_types: Vec<MetricTypeId>,
    /// A metric type is present if a block of it touches this range.
    pub range: Range<Timestamp>,
}

/// What to read, all in one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanRequest {
    /// Whose data.
    pub users: Vec<UserId>,
    /// What it assumes about metric types.
    pub view: CatalogueView,
    /// Blocks of this session only. Day summaries are of all sessions: a request has one or the other.
    pub session_id: Option<SessionId>,
    /// The range in which a session must have a point for its start to be told; `None` if no start is needed.
    pub starts: Option<Range<Timestamp>>,
    /// Day summaries to merge.
    pub days: Option<DayScan>,
    /// Blocks to read.
    pub blocks: Vec<BlockScan>,
    /// The metric types to look for without reading them.
    pub presence: Presence,
}

/// The moment that a scan saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanHead {
    /// The user's version; 0 for a user without data. Of several users the sum, which rises with each of theirs.
    pub version: u64,
    /// The catalogue's generation; of an answer, a digest of the metric types that it depends on.
    pub generation: u64,
}

impl Fingerprinted for ScanHead {
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

/// A block as far as it was needed.
#[derive(Debug, Clone, PartialEq)]
pub struct ScannedBlock {
    /// Whose it is.
    pub user_id: UserId,
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
    /// Merged day summaries of a channel in the window of that number; of one user if they are told apart.
    ///
    /// # Errors
    /// What ends the scan.
    fn days(
        &mut self,
        user: Option<UserId>,
        channel: ChannelId,
        window: usize,
        summary: Summary,
    ) -> Result<(), StoreError>;

    /// The start of a session, or the time of its first point if none was told; before any of its blocks.
    ///
    /// # Errors
    /// What ends the scan.
    fn session(
        &mut self,
        user: UserId,
        session: SessionId,
        start: Timestamp,
    ) -> Result<(), StoreError>;

    /// A block; each one once, in any order.
    ///
    /// # Errors
    /// What ends the scan.
    fn block(&mut self, block: ScannedBlock) -> Result<(), StoreError>;

    /// The metric types that [`ScanRequest::presence`] asked for and that are there; not called if it asked for none.
    fn present(&mut self, _metric_types: Vec<MetricTypeId>) {}
}

/// Reads what aggregates are made of.
#[async_trait]
pub trait AggregateStore: Send + Sync {
    /// What versions the next scan would see at least.
    async fn head(&self, users: &[UserId]) -> Result<ScanHead, StoreError>;

    /// Feeds `sink` from one snapshot.
    ///
    /// # Errors
    /// [`StoreError::CatalogueChanged`], before anything is fed, where the request's view does not hold in the snapshot.
    async fn scan(
        &self,
        request: &ScanRequest,
        sink: &mut dyn ScanSink,
    ) -> Result<ScanHead, StoreError>;
}
