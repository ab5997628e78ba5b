//! Reads the points of a list from blocks and passes them to a sink.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;

use super::block_merge::{BlockCursor, BlockMerge, PointKey};
use super::point_spec::{PointPosition, PointSpec};
use crate::block::{Block, Remainder, join};
use crate::json::Pointer;
use crate::metric_type::MetricType;
use crate::ports::{
    BlockContent, BlockSink, DataVersion, LeafCondition, Order, ScannedBlock, StoreError,
};
use crate::query::limits::LimitExceeded;
use crate::{Json, MetricTypeId, SessionId, Timestamp};

/// Points after which a sink may yield.
const POINTS_PER_YIELD: usize = 1_000;

/// A point as it is passed to a sink.
pub struct PointView<'a> {
    /// The session of the point.
    pub session_id: SessionId,
    /// The series of the point.
    pub series: &'a PointSeries,
    /// The time of the point.
    pub time: Timestamp,
    numbers: &'a [Vec<Option<f64>>],
    index: usize,
    remainder: Option<&'a Remainder>,
}

/// A series whose points are read.
pub struct PointSeries {
    /// Rank among the series that are read, by name.
    pub rank: usize,
    /// The metric type.
    pub metric_type: Arc<MetricType>,
    /// The pointers of its channels.
    pub pointers: Vec<Pointer>,
    pub(super) conditions: Vec<LeafCondition>,
}

impl PointView<'_> {
    /// Returns the number of a channel.
    #[must_use]
    pub fn number(&self, channel: usize) -> Option<f64> {
        self.numbers
            .get(channel)
            .and_then(|numbers| numbers[self.index])
    }

    /// Returns whether the channels do not contain the whole value.
    #[must_use]
    pub fn has_remainder(&self) -> bool {
        self.remainder
            .is_some_and(|remainder| remainder.text_of(self.index).is_some())
    }

    /// Returns the part of the value that no channel contains.
    #[must_use]
    pub fn remainder(&self) -> Option<Json> {
        self.remainder
            .and_then(|remainder| remainder.get(self.index))
    }

    /// Returns the whole value, as it was accepted.
    #[must_use]
    pub fn value(&self) -> Json {
        let numbers = self.numbers.iter().map(|numbers| numbers[self.index]);
        join(numbers, &self.series.pointers, self.remainder())
    }
}

/// Receives points in order and controls the pace.
#[async_trait]
pub trait PointSink: Send {
    /// Receives the data version, before any point.
    async fn begin(&mut self, data_version: DataVersion);

    /// Receives the next point.
    ///
    /// # Errors
    /// [`LimitExceeded`] if the sink cannot hold another point.
    fn point(&mut self, point: &PointView<'_>) -> Result<(), LimitExceeded>;

    /// Returns whether [`Self::yield_now`] should be called before the next point.
    fn is_full(&self) -> bool {
        false
    }

    /// Waits until the sink has room for more points. Breaks if it needs no more. Called between
    /// points.
    async fn yield_now(&mut self) -> ControlFlow<()>;
}

/// Reads the points of a list from blocks.
pub(super) struct PointReader<'a> {
    spec: &'a PointSpec,
    series: HashMap<MetricTypeId, PointSeries>,
    /// Digest of the metric types that are read.
    digest: u64,
    /// Maximum points that may be read.
    limit: u64,
    read: u64,
    merge: BlockMerge,
    sink: &'a mut dyn PointSink,
    progress: Progress,
    /// Points delivered since the sink last yielded.
    since_yield: usize,
    pub(super) data_version: Option<DataVersion>,
    /// The skipped metric types that have points.
    pub(super) present: Vec<MetricTypeId>,
    pub(super) exceeded: Option<LimitExceeded>,
}

/// The points that were delivered so far.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) points: usize,
    /// The last point, and its ordinal.
    last: Option<(PointKey, u32)>,
    pub(super) position: Option<PointPosition>,
    /// True if there are points beyond the page.
    pub(super) has_more: bool,
}

impl<'a> PointReader<'a> {
    pub(super) fn new(
        spec: &'a PointSpec,
        series: HashMap<MetricTypeId, PointSeries>,
        digest: u64,
        limit: u64,
        sink: &'a mut dyn PointSink,
    ) -> Self {
        Self {
            merge: BlockMerge::new(spec.order),
            spec,
            series,
            digest,
            limit,
            read: 0,
            sink,
            progress: Progress::default(),
            since_yield: 0,
            data_version: None,
            present: Vec::new(),
            exceeded: None,
        }
    }

    pub(super) fn into_progress(self) -> Progress {
        self.progress
    }

    /// Delivers all points that precede any block that is still to be read.
    pub(super) async fn deliver(
        &mut self,
        bound: Option<Timestamp>,
    ) -> Result<ControlFlow<()>, StoreError> {
        loop {
            let (series, spec, sink) = (&self.series, self.spec, &mut *self.sink);
            let (progress, exceeded) = (&mut self.progress, &mut self.exceeded);
            let mut step = Step::Skipped;
            let has_point = self.merge.next(bound, |block, key| {
                step = progress
                    .take(spec, series, block, key, sink)
                    .unwrap_or_else(|limit| {
                        *exceeded = Some(limit);
                        Step::Stop
                    });
            });
            if !has_point {
                return Ok(ControlFlow::Continue(()));
            }
            if self.exceeded.is_some() {
                return Err(StoreError::Stopped);
            }
            if matches!(step, Step::Stop) {
                return Ok(ControlFlow::Break(()));
            }
            self.since_yield += usize::from(matches!(step, Step::Delivered));
            if self.since_yield >= POINTS_PER_YIELD || self.sink.is_full() {
                self.since_yield = 0;
                if self.sink.yield_now().await.is_break() {
                    self.progress.has_more = true; // at least possibly: the next page may be empty
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
    }
}

/// The effect of one point.
enum Step {
    /// The sink received the point.
    Delivered,
    /// The point is not part of the page.
    Skipped,
    /// The page is complete.
    Stop,
}

impl Progress {
    fn take(
        &mut self,
        spec: &PointSpec,
        series: &HashMap<MetricTypeId, PointSeries>,
        block: &BlockCursor,
        key: PointKey,
        sink: &mut dyn PointSink,
    ) -> Result<Step, LimitExceeded> {
        let Some(of) = series.get(&block.scanned.metric_type) else {
            return Ok(Step::Skipped);
        };
        if !spec.range.contains(&key.time) {
            return Ok(Step::Skipped);
        }
        let same = |(last, _): &(PointKey, u32)| last.without_arrival() == key.without_arrival();
        let ordinal = self.last.filter(same).map_or(0, |(_, ordinal)| ordinal + 1);
        self.last = Some((key, ordinal));
        if spec
            .after
            .is_some_and(|after| !is_after(after, series, key, ordinal, spec.order))
        {
            return Ok(Step::Skipped);
        }
        if spec.limit.is_some_and(|limit| self.points >= limit) {
            self.has_more = true;
            return Ok(Step::Stop);
        }
        sink.point(&block.view(of))?;
        self.points += 1;
        self.position = Some(PointPosition {
            time: key.time,
            metric_type: block.scanned.metric_type,
            session_id: key.session_id,
            ordinal,
        });
        Ok(Step::Delivered)
    }
}

/// Returns whether a point comes after a position.
fn is_after(
    after: PointPosition,
    series: &HashMap<MetricTypeId, PointSeries>,
    key: PointKey,
    ordinal: u32,
    order: Order,
) -> bool {
    // A series that is no longer read has no rank: any point of that time may follow.
    let rank = series.get(&after.metric_type).map_or(0, |s| s.rank);
    let point = key.without_arrival();
    let position = (after.time, rank, after.session_id);
    let by_point = match order {
        Order::Ascending => point.cmp(&position),
        Order::Descending => position.cmp(&point),
    };
    by_point.then(ordinal.cmp(&after.ordinal)).is_gt()
}

impl BlockCursor {
    fn view<'a>(&'a self, series: &'a PointSeries) -> PointView<'a> {
        PointView {
            session_id: self.scanned.session_id,
            series,
            time: self.key().time,
            numbers: &self.numbers,
            index: self.at,
            remainder: self.block().map(|block| &block.remainder),
        }
    }

    const fn block(&self) -> Option<&Block> {
        match &self.scanned.content {
            BlockContent::Whole(block) => Some(block),
            BlockContent::Summaries(_) => None,
        }
    }
}

#[async_trait]
impl BlockSink for PointReader<'_> {
    async fn begin(
        &mut self,
        data_version: DataVersion,
        present: Vec<MetricTypeId>,
    ) -> Result<(), StoreError> {
        self.present = present;
        let data_version = DataVersion {
            version: data_version.version,
            generation: self.digest,
        };
        self.data_version = Some(data_version);
        self.sink.begin(data_version).await;
        Ok(())
    }

    async fn block(&mut self, block: ScannedBlock) -> Result<ControlFlow<()>, StoreError> {
        if let BlockContent::Whole(whole) = &block.content {
            self.read += whole.len() as u64;
        }
        if self.read > self.limit {
            self.exceeded = Some(LimitExceeded::Points {
                points: self.read,
                limit: self.limit,
            });
            return Err(StoreError::Stopped);
        }
        let bound = match self.spec.order {
            Order::Ascending => block.t_min,
            Order::Descending => block.t_max,
        };
        if self.deliver(Some(bound)).await?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(series) = self.series.get(&block.metric_type)
            && let Some(open) =
                BlockCursor::open(block, series.rank, &series.conditions, self.spec.order)
        {
            self.merge.add(open);
        }
        Ok(ControlFlow::Continue(()))
    }
}
