//! The use case that reads the points of a user.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::point_reader::{PointReader, PointSeries, PointSink, Progress};
use super::point_spec::{PointPosition, PointSpec};
use crate::catalogue::CatalogueCache;
use crate::clock::Clock;
use crate::metric_type::{MetricType, SeriesSelector};
use crate::ports::{
    CatalogueView, DataVersion, MetricTypeStore, Order, PointScan, PointSource, PointStore,
    Presence, ScannedBlock, SeriesExtent, StoreError,
};
use crate::query::QueryError;
use crate::query::limits::{LimitExceeded, QueryLimits};
use crate::query::selection::{
    CATALOGUE_ATTEMPTS, SelectSeries, SelectedSeries, Selection, SelectionCriteria,
    names_of_present,
};
use crate::{BlockPoint, MetricTypeId, SessionId, TimeRules, Timestamp, UserId};

/// Reads lists of points, the last points of series, and the extents of series.
pub struct ReadPoints {
    store: Arc<dyn PointStore>,
    series: SelectSeries,
    clock: Arc<dyn Clock>,
    rules: TimeRules,
    limits: QueryLimits,
}

/// The result of reading a list of points.
#[derive(Debug, Clone)]
pub struct PointsRead {
    /// The data version that was read.
    pub data_version: DataVersion,
    /// The skipped series that have points: those without numbers where only numbers are read, and
    /// those that lack a leaf of the filter.
    pub skipped: Vec<String>,
    /// The number of points delivered.
    pub points: usize,
    /// The position of the next page; `None` on the last page.
    pub next: Option<PointPosition>,
}

/// The last point of a series.
#[derive(Debug, Clone)]
pub struct LatestPoint {
    /// The series.
    pub metric_type: Arc<MetricType>,
    /// The session of the point.
    pub session_id: SessionId,
    /// The point.
    pub point: BlockPoint,
}

impl ReadPoints {
    /// Creates the use case from its ports and limits.
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

    /// Returns the data version of the next answer to a list of points, for a data version of the
    /// store. It changes with the user's data and with the metric types that the answer depends on.
    ///
    /// # Errors
    /// [`QueryError`], where the series cannot be selected.
    pub async fn data_version_of(
        &self,
        spec: &PointSpec,
        only_numbers: Option<&str>,
        data_version: DataVersion,
    ) -> Result<DataVersion, QueryError> {
        let needs_numbers = |metric_type: &MetricType| needs_numbers(only_numbers, metric_type);
        self.series
            .shown(&self.criteria(spec, &needs_numbers), data_version)
            .await
    }

    /// Returns the data version as [`Self::data_version_of`] does, for the last points or the
    /// extents of a user's series.
    ///
    /// # Errors
    /// [`QueryError`], where the series cannot be selected.
    pub async fn data_version_of_all(
        &self,
        user: UserId,
        selector: &SeriesSelector,
        data_version: DataVersion,
    ) -> Result<DataVersion, QueryError> {
        self.series
            .shown(&criteria_of_all(&[user], selector), data_version)
            .await
    }

    /// Passes the points of a list to `sink`, from one snapshot.
    ///
    /// # Errors
    /// [`QueryError`]. The points delivered before are then incomplete.
    pub async fn read(
        &self,
        spec: &PointSpec,
        only_numbers: Option<&str>,
        sink: &mut dyn PointSink,
    ) -> Result<PointsRead, QueryError> {
        let needs_numbers = |metric_type: &MetricType| needs_numbers(only_numbers, metric_type);
        for attempt in 0..CATALOGUE_ATTEMPTS {
            let selection = self
                .series
                .select(&self.criteria(spec, &needs_numbers), attempt)
                .await?;
            let Selection {
                selected,
                skipped,
                view,
                digest,
                ..
            } = selection;
            let scan = self.scan(spec, &selected, &skipped, view);
            if spec.limit.is_none() {
                match self.check_points_limit(&scan).await {
                    Err(QueryError::Store(StoreError::CatalogueChanged)) => continue,
                    checked => checked?,
                }
            }
            let mut reader = PointReader::new(
                spec,
                by_rank(selected),
                digest,
                self.limits.points_read,
                sink,
            );
            let scanned = match self.store.scan_in_order(&scan, &mut reader).await {
                Ok(()) => reader.deliver(None).await.map(|_| ()),
                failed => failed,
            };
            if let Some(exceeded) = reader.exceeded {
                return Err(QueryError::LimitExceeded(exceeded));
            }
            match (scanned, reader.data_version) {
                (Err(StoreError::CatalogueChanged), None) => {}
                (Ok(()), Some(data_version)) => {
                    let skipped = names_of_present(&skipped, &reader.present);
                    return Ok(outcome(&reader.into_progress(), data_version, skipped));
                }
                (Ok(()), None) => return Err(StoreError::CatalogueChanged.into()),
                (Err(e), _) => return Err(e.into()),
            }
        }
        Err(StoreError::CatalogueChanged.into())
    }

    /// Returns the last point of each series by (time, session, arrival), ordered by series name.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn latest(
        &self,
        user: UserId,
        selector: &SeriesSelector,
    ) -> Result<(DataVersion, Vec<LatestPoint>), QueryError> {
        for attempt in 0..CATALOGUE_ATTEMPTS {
            let selection = self
                .series
                .select(&criteria_of_all(&[user], selector), attempt)
                .await?;
            let (data_version, blocks) = match self
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
                selection.shown(data_version),
                selection.metric_types().filter_map(of).collect(),
            ));
        }
        Err(StoreError::CatalogueChanged.into())
    }

    /// Returns the extent of each series that has points, ordered by series name.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn extents(
        &self,
        user: UserId,
        selector: &SeriesSelector,
    ) -> Result<(DataVersion, Vec<(Arc<MetricType>, SeriesExtent)>), QueryError> {
        for attempt in 0..CATALOGUE_ATTEMPTS {
            let selection = self
                .series
                .select(&criteria_of_all(&[user], selector), attempt)
                .await?;
            let all = Timestamp::MIN..Timestamp::MAX;
            let (data_version, extents) = match self
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
                selection.shown(data_version),
                selection.metric_types().filter_map(of).collect(),
            ));
        }
        Err(StoreError::CatalogueChanged.into())
    }

    fn criteria<'a>(
        &self,
        spec: &'a PointSpec,
        needs_numbers: &'a (dyn Fn(&MetricType) -> Option<String> + Sync),
    ) -> SelectionCriteria<'a> {
        SelectionCriteria {
            users: std::slice::from_ref(&spec.user_id),
            selector: &spec.selector,
            filter: spec.filter.as_ref(),
            points: PointSource::Blocks(self.possible(spec)),
            needs_numbers,
            // The list of skipped series must be current.
            may_remember: false,
        }
    }

    /// Returns the part of the range in which points can lie.
    fn possible(&self, spec: &PointSpec) -> Range<Timestamp> {
        let (first, end) = self.rules.possible(self.clock.now());
        spec.range.start.max(first)..spec.range.end.min(end)
    }

    fn scan(
        &self,
        spec: &PointSpec,
        selected: &[SelectedSeries],
        skipped: &[Arc<MetricType>],
        view: CatalogueView,
    ) -> PointScan {
        let mut range = self.possible(spec);
        let presence = Presence {
            metric_types: skipped.iter().map(|t| t.id).collect(),
            range: range.clone(),
        };
        if let Some(after) = spec.after {
            match spec.order {
                Order::Ascending => range.start = range.start.max(after.time),
                Order::Descending => range.end = range.end.min(after.time.plus_micros(1)),
            }
        }
        PointScan {
            user_id: spec.user_id,
            view,
            session_id: spec.session_id,
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
            order: spec.order,
        }
    }

    /// Rejects a list without a limit if it would read too many points.
    async fn check_points_limit(&self, scan: &PointScan) -> Result<(), QueryError> {
        if scan.session_id.is_some() || scan.metric_types.is_empty() || scan.range.is_empty() {
            return Ok(());
        }
        let range: Range<Timestamp> = scan.range.clone();
        let (_, extents) = self
            .store
            .extents(scan.user_id, &scan.metric_types, range, &scan.view)
            .await?;
        let points = extents.iter().map(|e| e.points).sum();
        let limit = self.limits.points_read;
        if points > limit {
            Err(QueryError::LimitExceeded(LimitExceeded::Points {
                points,
                limit,
            }))
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

fn criteria_of_all<'a>(users: &'a [UserId], selector: &'a SeriesSelector) -> SelectionCriteria<'a> {
    let points = PointSource::Blocks(Timestamp::MIN..Timestamp::MAX);
    SelectionCriteria {
        users,
        selector,
        filter: None,
        points,
        needs_numbers: &|_| None,
        may_remember: true,
    }
}

fn by_rank(selected: Vec<SelectedSeries>) -> HashMap<MetricTypeId, PointSeries> {
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

fn outcome(progress: &Progress, data_version: DataVersion, skipped: Vec<String>) -> PointsRead {
    PointsRead {
        data_version,
        skipped,
        points: progress.points,
        next: progress.position.filter(|_| progress.has_more),
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
