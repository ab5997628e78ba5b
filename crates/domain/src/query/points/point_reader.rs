//! Takes blocks, gives points.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::merge::{Merge, OpenBlock, Standing};
use super::point_query::{PointPosition, PointQuery};
use crate::block::{Block, Remainder, join};
use crate::json::Pointer;
use crate::metric_type::MetricType;
use crate::ports::{
    BlockContent, BlockSink, Flow, LeafCondition, Order, ScanHead, ScannedBlock, StoreError,
};
use crate::query::fold::Refusal;
use crate::{Json, MetricTypeId, SessionId, Timestamp};

/// A sink is asked whether it has room after so many points.
const POINTS_OF_A_BREATH: usize = 1_000;

/// A point while it is passed on.
pub struct PointView<'a> {
    /// Its session.
    pub session_id: SessionId,
    /// Its series.
    pub series: &'a PointSeries,
    /// When.
    pub time: Timestamp,
    numbers: &'a [Vec<Option<f64>>],
    place: usize,
    remainder: Option<&'a Remainder>,
}

/// A series whose points are read.
pub struct PointSeries {
    /// Its place among the series that are read, by name.
    pub rank: usize,
    /// What it is.
    pub metric_type: Arc<MetricType>,
    /// Where its numbers are.
    pub pointers: Vec<Pointer>,
    pub(super) conditions: Vec<LeafCondition>,
}

impl PointView<'_> {
    /// The number of a channel.
    #[must_use]
    pub fn number(&self, channel: usize) -> Option<f64> {
        self.numbers
            .get(channel)
            .and_then(|numbers| numbers[self.place])
    }

    /// Whether the channels alone do not give the value back.
    #[must_use]
    pub fn has_rest(&self) -> bool {
        self.remainder
            .is_some_and(|remainder| remainder.text_of(self.place).is_some())
    }

    /// The part of the value that no channel gives back.
    #[must_use]
    pub fn rest(&self) -> Option<Json> {
        self.remainder
            .and_then(|remainder| remainder.get(self.place))
    }

    /// The whole value, as it was accepted.
    #[must_use]
    pub fn value(&self) -> Json {
        let numbers = self.numbers.iter().map(|numbers| numbers[self.place]);
        join(numbers, &self.series.pointers, self.rest())
    }
}

/// Takes points in order, at its own pace.
#[async_trait]
pub trait PointSink: Send {
    /// The moment that is seen; before any point.
    async fn head(&mut self, head: ScanHead);

    /// The next point.
    ///
    /// # Errors
    /// [`Refusal`] if it cannot take so many.
    fn point(&mut self, point: &PointView<'_>) -> Result<(), Refusal>;

    /// Whether it should be let breathe now.
    fn is_full(&self) -> bool {
        false
    }

    /// Called between points: waits until there is room for more, or says that nobody wants more.
    async fn breathe(&mut self) -> Flow;
}

/// Reads the points of a query out of blocks.
pub(super) struct PointReader<'a> {
    query: &'a PointQuery,
    series: HashMap<MetricTypeId, PointSeries>,
    /// Digest of the metric types that are read.
    digest: u64,
    /// How many points may be read.
    limit: u64,
    read: u64,
    merge: Merge,
    sink: &'a mut dyn PointSink,
    given: Given,
    breath: usize,
    pub(super) head: Option<ScanHead>,
    /// The skipped metric types that have points.
    pub(super) present: Vec<MetricTypeId>,
    pub(super) refusal: Option<Refusal>,
}

/// What was given so far.
#[derive(Default)]
pub(super) struct Given {
    pub(super) points: usize,
    /// The last point given, and its ordinal.
    last: Option<(Standing, u32)>,
    pub(super) position: Option<PointPosition>,
    /// There is a point beyond the limit.
    pub(super) has_more: bool,
}

impl<'a> PointReader<'a> {
    pub(super) fn new(
        query: &'a PointQuery,
        series: HashMap<MetricTypeId, PointSeries>,
        digest: u64,
        limit: u64,
        sink: &'a mut dyn PointSink,
    ) -> Self {
        Self {
            merge: Merge::new(query.order),
            query,
            series,
            digest,
            limit,
            read: 0,
            sink,
            given: Given::default(),
            breath: 0,
            head: None,
            present: Vec::new(),
            refusal: None,
        }
    }

    pub(super) fn into_given(self) -> Given {
        self.given
    }

    /// Gives all points that come before any block that is still to come.
    pub(super) async fn give(&mut self, bound: Option<Timestamp>) -> Result<Flow, StoreError> {
        loop {
            let (series, query, sink) = (&self.series, self.query, &mut *self.sink);
            let (given, refusal) = (&mut self.given, &mut self.refusal);
            let mut taken = Taken::Passed;
            let came = self.merge.next(bound, |block, standing| {
                taken = given
                    .take(query, series, block, standing, sink)
                    .unwrap_or_else(|refused| {
                        *refusal = Some(refused);
                        Taken::Enough
                    });
            });
            if !came {
                return Ok(Flow::More);
            }
            if self.refusal.is_some() {
                return Err(StoreError::Stopped);
            }
            if matches!(taken, Taken::Enough) {
                return Ok(Flow::Enough);
            }
            self.breath += usize::from(matches!(taken, Taken::Given));
            if self.breath >= POINTS_OF_A_BREATH || self.sink.is_full() {
                self.breath = 0;
                if self.sink.breathe().await == Flow::Enough {
                    self.given.has_more = true; // or so it may be: the next page tells
                    return Ok(Flow::Enough);
                }
            }
        }
    }
}

enum Taken {
    Given,
    Passed,
    Enough,
}

impl Given {
    fn take(
        &mut self,
        query: &PointQuery,
        series: &HashMap<MetricTypeId, PointSeries>,
        block: &OpenBlock,
        standing: Standing,
        sink: &mut dyn PointSink,
    ) -> Result<Taken, Refusal> {
        let Some(of) = series.get(&block.scanned.metric_type) else {
            return Ok(Taken::Passed);
        };
        if !query.range.contains(&standing.0) {
            return Ok(Taken::Passed);
        }
        let same = |(last, _): &(Standing, u32)| {
            (last.0, last.1, last.2) == (standing.0, standing.1, standing.2)
        };
        let ordinal = self.last.filter(same).map_or(0, |(_, ordinal)| ordinal + 1);
        self.last = Some((standing, ordinal));
        if query
            .after
            .is_some_and(|after| !is_behind(after, series, standing, ordinal, query.order))
        {
            return Ok(Taken::Passed);
        }
        if query.limit.is_some_and(|limit| self.points >= limit) {
            self.has_more = true;
            return Ok(Taken::Enough);
        }
        sink.point(&block.view(of))?;
        self.points += 1;
        self.position = Some(PointPosition {
            time: standing.0,
            metric_type: block.scanned.metric_type,
            session_id: standing.2,
            ordinal,
        });
        Ok(Taken::Given)
    }
}

/// Whether a point comes after a position.
fn is_behind(
    after: PointPosition,
    series: &HashMap<MetricTypeId, PointSeries>,
    standing: Standing,
    ordinal: u32,
    order: Order,
) -> bool {
    // A series that is not read any more has no rank: any of that time may come.
    let rank = series.get(&after.metric_type).map_or(0, |s| s.rank);
    let place = (standing.0, standing.1, standing.2);
    let position = (after.time, rank, after.session_id);
    let by_place = match order {
        Order::Ascending => place.cmp(&position),
        Order::Descending => position.cmp(&place),
    };
    by_place.then(ordinal.cmp(&after.ordinal)).is_gt()
}

impl OpenBlock {
    fn view<'a>(&'a self, series: &'a PointSeries) -> PointView<'a> {
        PointView {
            session_id: self.scanned.session_id,
            series,
            time: self.standing().0,
            numbers: &self.numbers,
            place: self.at,
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
    async fn head(&mut self, head: ScanHead, present: Vec<MetricTypeId>) -> Result<(), StoreError> {
        self.present = present;
        let head = ScanHead {
            version: head.version,
            generation: self.digest,
        };
        self.head = Some(head);
        self.sink.head(head).await;
        Ok(())
    }

    async fn block(&mut self, block: ScannedBlock) -> Result<Flow, StoreError> {
        if let BlockContent::Whole(whole) = &block.content {
            self.read += whole.len() as u64;
        }
        if self.read > self.limit {
            self.refusal = Some(Refusal::Points {
                points: self.read,
                limit: self.limit,
            });
            return Err(StoreError::Stopped);
        }
        let bound = match self.query.order {
            Order::Ascending => block.t_min,
            Order::Descending => block.t_max,
        };
        if self.give(Some(bound)).await? == Flow::Enough {
            return Ok(Flow::Enough);
        }
        if let Some(series) = self.series.get(&block.metric_type)
            && let Some(open) =
                OpenBlock::open(block, series.rank, &series.conditions, self.query.order)
        {
            self.merge.add(open);
        }
        Ok(Flow::More)
    }
}
