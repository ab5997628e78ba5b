//! The use case: read the points of a user.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::point_query::{PointPosition, PointQuery};
use super::point_reader::{Given, PointReader, PointSeries, PointSink};
use crate::clock::Clock;
use crate::metric_type::{Catalogue, CatalogueCache, MetricType, SeriesSelector};
use crate::ports::{MetricTypeStore, Order, PointScan, PointStore, ScanHead, ScannedBlock, SeriesExtent, StoreError};
use crate::query::aggregate::QueryError;
use crate::query::ask::ValueFilter;
use crate::query::fold::{QueryLimits, Refusal};
use crate::query::plan::Selected;
use crate::query::select::select_series;
use crate::{BlockPoint, MetricTypeId, SessionId, TimeRules, Timestamp, UserId};

/// A schema may change while points are read; so often it is tried again.
const CATALOGUE_RETRIES: usize = 5;

/// Reads points, the last ones, and what there is.
pub struct ReadPoints {
    store: Arc<dyn PointStore>,
    metric_types: Arc<dyn MetricTypeStore>,
    catalogue: Arc<CatalogueCache>,
    clock: Arc<dyn Clock>,
    rules: TimeRules,
    limits: QueryLimits,
}

/// What reading came to.
#[derive(Debug, Clone)]
pub struct PointsRead {
    /// The moment that it shows.
    pub head: ScanHead,
    /// How many points were given.
    pub points: usize,
    /// Where to go on; `None` if there is no more.
    pub next: Option<PointPosition>,
}

/// The last point of a series.
#[derive(Debug, Clone)]
pub struct LatestPoint {
    /// The series.
    pub metric_type: Arc<MetricType>,
    /// Its session.
    pub session_id: SessionId,
    /// The point.
    pub point: BlockPoint,
}

impl ReadPoints {
    /// The use case over its ports.
    #[must_use]
    pub const fn new(
        store: Arc<dyn PointStore>,
        metric_types: Arc<dyn MetricTypeStore>,
        catalogue: Arc<CatalogueCache>,
        clock: Arc<dyn Clock>,
        rules: TimeRules,
        limits: QueryLimits,
    ) -> Self {
        Self { store, metric_types, catalogue, clock, rules, limits }
    }

    /// Which series a query reads, by name, and which it skips: those without numbers where `only_numbers`, and those
    /// that lack a leaf of the filter.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn series(
        &self,
        selector: &SeriesSelector,
        filter: Option<&ValueFilter>,
        only_numbers: Option<&str>,
    ) -> Result<(Vec<Arc<MetricType>>, Vec<String>), QueryError> {
        let catalogue = self.catalogue.fresh(self.metric_types.as_ref()).await?;
        let (kept, skipped) = select(selector, filter, only_numbers, &catalogue)?;
        Ok((kept.into_iter().map(|s| s.metric_type).collect(), skipped))
    }

    /// Gives `sink` the points of a query from one snapshot.
    ///
    /// # Errors
    /// [`QueryError`]; what was given before is not all.
    pub async fn read(
        &self,
        query: &PointQuery,
        only_numbers: Option<&str>,
        sink: &mut dyn PointSink,
    ) -> Result<PointsRead, QueryError> {
        for _ in 0..CATALOGUE_RETRIES {
            let catalogue = self.catalogue.fresh(self.metric_types.as_ref()).await?;
            let (selected, _) = select(&query.selector, query.filter.as_ref(), only_numbers, &catalogue)?;
            let scan = self.scan(query, &selected);
            if query.limit.is_none() {
                self.refuse_too_many(&scan).await?;
            }
            let mut reader =
                PointReader::new(query, by_rank(selected), catalogue.generation, self.limits.points_read, sink);
            let scanned = match self.store.scan_in_order(&scan, &mut reader).await {
                Ok(()) => reader.give(None).await.map(|_| ()),
                failed => failed,
            };
            if let Some(refusal) = reader.refusal {
                return Err(QueryError::TooMuch(refusal));
            }
            match (scanned, reader.head) {
                (Err(StoreError::CatalogueChanged), None) => {
                    self.catalogue.reload(self.metric_types.as_ref()).await?;
                }
                (Ok(()), Some(head)) => return Ok(outcome(&reader.into_given(), head)),
                (Ok(()), None) => return Err(StoreError::CatalogueChanged.into()),
                (Err(e), _) => return Err(e.into()),
            }
        }
        Err(StoreError::CatalogueChanged.into())
    }

    /// The last point of each series by (time, session, arrival), by name of the series.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn latest(
        &self,
        user: UserId,
        selector: &SeriesSelector,
    ) -> Result<(ScanHead, Vec<LatestPoint>), QueryError> {
        for _ in 0..CATALOGUE_RETRIES {
            let catalogue = self.catalogue.fresh(self.metric_types.as_ref()).await?;
            let selected = selector.resolve(&catalogue)?;
            let ids: Vec<MetricTypeId> = selected.iter().map(|t| t.id).collect();
            let (head, blocks) = self.store.last_blocks(user, &ids).await?;
            if head.generation != catalogue.generation {
                self.catalogue.reload(self.metric_types.as_ref()).await?;
                continue;
            }
            let of = |t: &Arc<MetricType>| blocks.iter().find(|b| b.metric_type == t.id).and_then(|b| last_point(t, b));
            return Ok((head, selected.iter().filter_map(of).collect()));
        }
        Err(StoreError::CatalogueChanged.into())
    }

    /// The extent of each series that has points, by name.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn extents(
        &self,
        user: UserId,
        selector: &SeriesSelector,
    ) -> Result<(ScanHead, Vec<(Arc<MetricType>, SeriesExtent)>), QueryError> {
        for _ in 0..CATALOGUE_RETRIES {
            let catalogue = self.catalogue.fresh(self.metric_types.as_ref()).await?;
            let selected = selector.resolve(&catalogue)?;
            let ids: Vec<MetricTypeId> = selected.iter().map(|t| t.id).collect();
            let all = Timestamp::MIN..Timestamp::MAX;
            let (head, extents) = self.store.extents(user, &ids, all).await?;
            if head.generation != catalogue.generation {
                self.catalogue.reload(self.metric_types.as_ref()).await?;
                continue;
            }
            let of = |t: &Arc<MetricType>| extents.iter().find(|e| e.metric_type == t.id).map(|e| (t.clone(), *e));
            return Ok((head, selected.iter().filter_map(of).collect()));
        }
        Err(StoreError::CatalogueChanged.into())
    }

    fn scan(&self, query: &PointQuery, selected: &[Selected]) -> PointScan {
        let (first, end) = self.rules.possible(self.clock.now());
        let mut range = query.range.start.max(first)..query.range.end.min(end);
        if let Some(after) = query.after {
            match query.order {
                Order::Ascending => range.start = range.start.max(after.time),
                Order::Descending => range.end = range.end.min(after.time.plus_micros(1)),
            }
        }
        PointScan {
            user_id: query.user_id,
            session_id: query.session_id,
            metric_types: selected.iter().map(|s| s.metric_type.id).collect(),
            conditions: selected
                .iter()
                .flat_map(|s| s.conditions.iter().map(|condition| (s.metric_type.id, *condition)))
                .collect(),
            range,
            order: query.order,
        }
    }

    async fn refuse_too_many(&self, scan: &PointScan) -> Result<(), QueryError> {
        if scan.session_id.is_some() || scan.metric_types.is_empty() || scan.range.is_empty() {
            return Ok(());
        }
        let range: Range<Timestamp> = scan.range.clone();
        let (_, extents) = self.store.extents(scan.user_id, &scan.metric_types, range).await?;
        let (points, limit) = (extents.iter().map(|e| e.points).sum(), self.limits.points_read);
        if points > limit { Err(QueryError::TooMuch(Refusal::Points { points, limit })) } else { Ok(()) }
    }
}

fn select(
    selector: &SeriesSelector,
    filter: Option<&ValueFilter>,
    only_numbers: Option<&str>,
    catalogue: &Catalogue,
) -> Result<(Vec<Selected>, Vec<String>), QueryError> {
    select_series(selector, filter, catalogue, |metric_type| {
        only_numbers.filter(|_| metric_type.channels.is_empty()).map(str::to_owned)
    })
}

fn by_rank(selected: Vec<Selected>) -> HashMap<MetricTypeId, PointSeries> {
    let series = selected.into_iter().enumerate().map(|(rank, s)| {
        let pointers = s.metric_type.pointers();
        (s.metric_type.id, PointSeries { rank, metric_type: s.metric_type, pointers, conditions: s.conditions })
    });
    series.collect()
}

fn outcome(given: &Given, head: ScanHead) -> PointsRead {
    PointsRead { head, points: given.points, next: given.position.filter(|_| given.has_more) }
}

fn last_point(metric_type: &Arc<MetricType>, scanned: &ScannedBlock) -> Option<LatestPoint> {
    let crate::ports::BlockContent::Whole(block) = &scanned.content else { return None };
    let point = block.last_point(&metric_type.pointers())?;
    Some(LatestPoint { metric_type: metric_type.clone(), session_id: scanned.session_id, point })
}
