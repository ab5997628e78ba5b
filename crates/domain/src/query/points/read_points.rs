//! The use case: read the points of a user.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::point_query::{PointPosition, PointQuery};
use super::point_reader::{Given, PointReader, PointSeries, PointSink};
use crate::catalogue::CatalogueCache;
use crate::clock::Clock;
use crate::metric_type::{MetricType, SeriesSelector};
use crate::ports::{
    CatalogueView, MetricTypeStore, Order, PointScan, PointSource, PointStore, Presence, ScanHead,
    ScannedBlock, SeriesExtent, StoreError,
};
use crate::query::aggregate::QueryError;
use crate::query::fold::{QueryLimits, Refusal};
use crate::query::plan::Selected;
use crate::query::select::{CATALOGUE_ATTEMPTS, Choice, SelectSeries, Selection, names_of_present};
use crate::{BlockPoint, MetricTypeId, SessionId, TimeRules, Timestamp, UserId};

/// Reads points, the last ones, and what there is.
pub struct ReadPoints {
    store: Arc<dyn PointStore>,
    series: SelectSeries,
    clock: Arc<dyn Clock>,
    rules: TimeRules,
    limits: QueryLimits,
}

/// What reading came to.
#[derive(Debug, Clone)]
pub struct PointsRead {
    /// The moment that it shows.
    pub head: ScanHead,
    /// The series of the user's points that were skipped: those without numbers where only numbers are read, and those that
    /// lack a leaf of the filter.
    pub skipped: Vec<String>,
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
        Self {
            store,
            series: SelectSeries::new(metric_types, catalogue),
            clock,
            rules,
            limits,
        }
    }

    /// The head of the next answer to a query of points, for a `head` of the store: it changes with the user's data, and with
    /// the metric types that the answer depends on.
    ///
    /// # Errors
    /// [`QueryError`], where the series cannot be selected.
    pub async fn head_of(
        &self,
        query: &PointQuery,
        only_numbers: Option<&str>,
        head: ScanHead,
    ) -> Result<ScanHead, QueryError> {
        let needs_numbers = |metric_type: &MetricType| needs_numbers(only_numbers, metric_type);
        self.series
            .shown(&self.choice(query, &needs_numbers), head)
            .await
    }

    /// As [`Self::head_of`], for the last points or the extents of a user's series.
    ///
    /// # Errors
    /// [`QueryError`], where the series cannot be selected.
    pub async fn head_of_all(
        &self,
        user: UserId,
        selector: &SeriesSelector,
        head: ScanHead,
    ) -> Result<ScanHead, QueryError> {
        self.series
            .shown(&choice_of_all(&[user], selector), head)
            .await
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
        let needs_numbers = |metric_type: &MetricType| needs_numbers(only_numbers, metric_type);
        for attempt in 0..CATALOGUE_ATTEMPTS {
            let selection = self
                .series
                .select(&self.choice(query, &needs_numbers), attempt)
                .await?;
            let Selection {
                kept,
                skipped,
                view,
                digest,
                ..
            } = selection;
            let scan = self.scan(query, &kept, &skipped, view);
            if query.limit.is_none() {
                match self.refuse_too_many(&scan).await {
                    Err(QueryError::Store(StoreError::CatalogueChanged)) => continue,
                    checked => checked?,
                }
            }
            let mut reader =
                PointReader::new(query, by_rank(kept), digest, self.limits.points_read, sink);
            let scanned = match self.store.scan_in_order(&scan, &mut reader).await {
                Ok(()) => reader.give(None).await.map(|_| ()),
                failed => failed,
            };
            if let Some(refusal) = reader.refusal {
                return Err(QueryError::TooMuch(refusal));
            }
            match (scanned, reader.head) {
                (Err(StoreError::CatalogueChanged), None) => {}
                (Ok(()), Some(head)) => {
                    let skipped = names_of_present(&skipped, &reader.present);
                    return Ok(outcome(&reader.into_given(), head, skipped));
                }
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
        for attempt in 0..CATALOGUE_ATTEMPTS {
            let selection = self
                .series
                .select(&choice_of_all(&[user], selector), attempt)
                .await?;
            let (head, blocks) = match self
                .store
                .last_blocks(user, &selection.ids(), &selection.view)
                .await
            {
                Err(StoreError::CatalogueChanged) => continue,
                read => read?,
            };
            let of = |t: &Arc<MetricType>| {
                blocks
                    .iter()
                    .find(|b| b.metric_type == t.id)
                    .and_then(|b| last_point(t, b))
            };
            return Ok((
                selection.shown(head),
                selection.metric_types().filter_map(of).collect(),
            ));
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
        for attempt in 0..CATALOGUE_ATTEMPTS {
            let selection = self
                .series
                .select(&choice_of_all(&[user], selector), attempt)
                .await?;
            let all = Timestamp::MIN..Timestamp::MAX;
            let (head, extents) = match self
                .store
                .extents(user, &selection.ids(), all, &selection.view)
                .await
            {
                Err(StoreError::CatalogueChanged) => continue,
                read => read?,
            };
            let of = |t: &Arc<MetricType>| {
                extents
                    .iter()
                    .find(|e| e.metric_type == t.id)
                    .map(|e| (t.clone(), *e))
            };
            return Ok((
                selection.shown(head),
                selection.metric_types().filter_map(of).collect(),
            ));
        }
        Err(StoreError::CatalogueChanged.into())
    }

    fn choice<'a>(
        &self,
        query: &'a PointQuery,
        needs_numbers: &'a (dyn Fn(&MetricType) -> Option<String> + Sync),
    ) -> Choice<'a> {
        Choice {
            users: std::slice::from_ref(&query.user_id),
            selector: &query.selector,
            filter: query.filter.as_ref(),
            points: PointSource::Blocks(self.possible(query)),
            needs_numbers,
            // What is skipped must be known as of now.
            may_remember: false,
        }
    }

    /// The part of a query's range in which points can lie.
    fn possible(&self, query: &PointQuery) -> Range<Timestamp> {
        let (first, end) = self.rules.possible(self.clock.now());
        query.range.start.max(first)..query.range.end.min(end)
    }

    fn scan(
        &self,
        query: &PointQuery,
        selected: &[Selected],
        skipped: &[Arc<MetricType>],
        view: CatalogueView,
    ) -> PointScan {
        let mut range = self.possible(query);
        let presence = Presence {
            metric_types: skipped.iter().map(|t| t.id).collect(),
            range: range.clone(),
        };
        if let Some(after) = query.after {
            match query.order {
                Order::Ascending => range.start = range.start.max(after.time),
                Order::Descending => range.end = range.end.min(after.time.plus_micros(1)),
            }
        }
        PointScan {
            user_id: query.user_id,
            view,
            session_id: query.session_id,
            metric_types: selected.iter().map(|s| s.metric_type.id).collect(),
            conditions: selected
                .iter()
                .flat_map(|s| {
                    s.conditions
                        .iter()
                        .map(|condition| (s.metric_type.id, *condition))
                })
                .collect(),
            range,
            presence,
            order: query.order,
        }
    }

    async fn refuse_too_many(&self, scan: &PointScan) -> Result<(), QueryError> {
        if scan.session_id.is_some() || scan.metric_types.is_empty() || scan.range.is_empty() {
            return Ok(());
        }
        let range: Range<Timestamp> = scan.range.clone();
        let (_, extents) = self
            .store
            .extents(scan.user_id, &scan.metric_types, range, &scan.view)
            .await?;
        let (points, limit) = (
            extents.iter().map(|e| e.points).sum(),
            self.limits.points_read,
        );
        if points > limit {
            Err(QueryError::TooMuch(Refusal::Points { points, limit }))
        } else {
            Ok(())
        }
    }
}

fn needs_numbers(only_numbers: Option<&str>, metric_type: &MetricType) -> Option<String> {
    only_numbers
        .filter(|_| metric_type.channels.is_empty())
        .map(str::to_owned)
}

fn choice_of_all<'a>(users: &'a [UserId], selector: &'a SeriesSelector) -> Choice<'a> {
    let points = PointSource::Blocks(Timestamp::MIN..Timestamp::MAX);
    Choice {
        users,
        selector,
        filter: None,
        points,
        needs_numbers: &|_| None,
        may_remember: true,
    }
}

fn by_rank(selected: Vec<Selected>) -> HashMap<MetricTypeId, PointSeries> {
    let series = selected.into_iter().enumerate().map(|(rank, s)| {
        let pointers = s.metric_type.pointers();
        (
            s.metric_type.id,
            PointSeries {
                rank,
                metric_type: s.metric_type,
                pointers,
                conditions: s.conditions,
            },
        )
    });
    series.collect()
}

fn outcome(given: &Given, head: ScanHead, skipped: Vec<String>) -> PointsRead {
    PointsRead {
        head,
        skipped,
        points: given.points,
        next: given.position.filter(|_| given.has_more),
    }
}

fn last_point(metric_type: &Arc<MetricType>, scanned: &ScannedBlock) -> Option<LatestPoint> {
    let crate::ports::BlockContent::Whole(block) = &scanned.content else {
        return None;
    };
    let point = block.last_point(&metric_type.pointers())?;
    Some(LatestPoint {
        metric_type: metric_type.clone(),
        session_id: scanned.session_id,
        point,
    })
}
