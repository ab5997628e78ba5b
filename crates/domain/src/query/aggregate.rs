//! The use case that answers an aggregate query: plan, execute and finalize.

use std::sync::Arc;
use std::time::Instant;

use super::answer::AggregateAnswer;
use super::error::QueryError;
use super::execute::Fold;
use super::finalize::finalize;
use super::limits::{LimitExceeded, QueryLimits};
use super::memory_budget::QueryMemory;
use super::plan::{Estimate, Plan};
use super::selection::{
    CATALOGUE_ATTEMPTS, SelectSeries, Selection, SelectionCriteria, needs_numbers, point_source,
};
use super::spec::{Accuracy, AggregateSpec, Axis, Fill};
use crate::catalogue::CatalogueCache;
use crate::clock::Clock;
use crate::metric_type::MetricType;
use crate::ports::{AggregateStore, CatalogueView, DataVersion, MetricTypeStore, StoreError};
use crate::{TimeRules, UserId};

/// Minimum value of the row limit for the groups that `over` aggregates, which are not rows of the
/// answer.
const GROUP_ROWS: usize = 1_000_000;

/// Answers aggregate queries.
pub struct Aggregate {
    store: Arc<dyn AggregateStore>,
    series: SelectSeries,
    clock: Arc<dyn Clock>,
    rules: TimeRules,
    limits: QueryLimits,
    memory: Arc<QueryMemory>,
}

/// A plan, the metric types that it depends on, and the time that planning took.
pub(super) struct Planned {
    pub(super) plan: Plan,
    /// The generation of the catalogue that the plan was made from.
    pub(super) generation: u64,
    /// Digest of the metric types that the plan depends on.
    pub(super) digest: u64,
    /// The data version at planning, if the metric types of the users' points were read from the
    /// store.
    pub(super) data_version: Option<DataVersion>,
    began: Instant,
    ended: Instant,
}

impl Planned {
    /// Returns whether the plan was made from the remembered metric types of the user's points.
    const fn is_remembered(&self) -> bool {
        self.data_version.is_none()
            && matches!(self.plan.request.view, CatalogueView::OfUsers { .. })
    }
}

impl Aggregate {
    /// Creates the use case from its ports and limits.
    #[must_use]
    pub const fn new(
        store: Arc<dyn AggregateStore>,
        metric_types: Arc<dyn MetricTypeStore>,
        catalogue: Arc<CatalogueCache>,
        clock: Arc<dyn Clock>,
        rules: TimeRules,
        limits: QueryLimits,
        memory: Arc<QueryMemory>,
    ) -> Self {
        Self {
            store,
            series: SelectSeries::new(metric_types, catalogue),
            clock,
            rules,
            limits,
            memory,
        }
    }

    /// Answers a query from one snapshot of the store.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn answer(&self, spec: &AggregateSpec) -> Result<AggregateAnswer, QueryError> {
        let planned = self.plan(spec, 0).await?;
        self.answer_planned(spec, planned).await
    }

    /// Returns the minimum data version that the next answer would show.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn data_version(&self, users: &[UserId]) -> Result<DataVersion, StoreError> {
        self.store.data_version(users).await
    }

    /// Returns the data version of the next answer to a query. It changes with the users' data and
    /// with the metric types that the answer depends on.
    ///
    /// # Errors
    /// [`QueryError`], where the query cannot be planned.
    pub async fn data_version_of(&self, spec: &AggregateSpec) -> Result<DataVersion, QueryError> {
        let data_version = self.store.data_version(&spec.users).await?;
        let needs_numbers = |metric_type: &MetricType| needs_numbers(spec, metric_type);
        self.series
            .shown(&criteria(spec, &needs_numbers), data_version)
            .await
    }

    /// Executes a plan. Plans again if a metric type that the plan depends on has changed.
    pub(super) async fn answer_planned(
        &self,
        spec: &AggregateSpec,
        mut planned: Planned,
    ) -> Result<AggregateAnswer, QueryError> {
        for attempt in 1..=CATALOGUE_ATTEMPTS {
            let plan = &planned.plan;
            match self.check_limits(spec, plan).await {
                Err(QueryError::Store(StoreError::CatalogueChanged)) => {
                    planned = self.plan(spec, attempt).await?;
                    continue;
                }
                checked => checked?,
            }
            let mut fold = Fold::new(
                spec,
                plan,
                self.fold_limits(spec),
                self.memory.reservation(),
            );
            let began = Instant::now();
            let scanned = match self.store.scan(&plan.request, &mut fold).await {
                Ok(data_version) => fold.end().map(|()| data_version),
                failed => failed,
            };
            let read = began.elapsed();
            if let Some(exceeded) = fold.exceeded() {
                return Err(QueryError::LimitExceeded(match exceeded {
                    LimitExceeded::Rows { rows, limit } if !spec.over.is_empty() => {
                        LimitExceeded::Groups { rows, limit }
                    }
                    exceeded => exceeded,
                }));
            }
            let data_version = match scanned {
                Err(StoreError::CatalogueChanged) => {
                    planned = self.plan(spec, attempt).await?;
                    continue;
                }
                scanned => scanned?,
            };
            if planned.is_remembered() && planned.generation < data_version.generation {
                // The list of skipped series must be that of the current catalogue.
                planned = self.plan(spec, attempt).await?;
                continue;
            }
            let began = Instant::now();
            let (folded, mut stats) = fold.into_folded();
            stats.plan = planned.ended - planned.began;
            stats.read = read.saturating_sub(stats.fold);
            let shown = DataVersion {
                version: data_version.version,
                generation: planned.digest,
            };
            let limit = self.limits.rows;
            let mut answer =
                finalize(spec, plan, folded, shown, limit).map_err(QueryError::LimitExceeded)?;
            let rows = answer.rows();
            if rows > limit {
                let exceeded = LimitExceeded::Rows { rows, limit };
                return Err(QueryError::LimitExceeded(exceeded));
            }
            stats.finish = began.elapsed();
            answer.stats = stats;
            return Ok(answer);
        }
        Err(StoreError::CatalogueChanged.into())
    }

    /// Returns the limits of the fold. Groups that `over` aggregates are held in memory but are not
    /// rows of the answer, so that their limit is at least [`GROUP_ROWS`].
    fn fold_limits(&self, spec: &AggregateSpec) -> QueryLimits {
        if spec.over.is_empty() {
            return self.limits;
        }
        QueryLimits {
            rows: self.limits.rows.max(GROUP_ROWS),
            ..self.limits
        }
    }

    /// Rejects a query before it is executed if its filled buckets, or the day summaries of the
    /// points that it would read, exceed a limit.
    async fn check_limits(&self, spec: &AggregateSpec, plan: &Plan) -> Result<(), QueryError> {
        if spec.fill != Fill::None
            && let Axis::Calendar(calendar) = &spec.axis
        {
            let rows = calendar.min_buckets(&spec.range);
            let limit = self.limits.rows;
            if rows > limit {
                let exceeded = LimitExceeded::Rows { rows, limit };
                return Err(QueryError::LimitExceeded(exceeded));
            }
        }
        let Some(mut estimate) = Estimate::of(plan) else {
            return Ok(());
        };
        let request = estimate.request.clone();
        self.store.scan(&request, &mut estimate).await?;
        let points = estimate.points(plan);
        if points > self.limits.points_read {
            return Err(QueryError::LimitExceeded(LimitExceeded::Points {
                points,
                limit: self.limits.points_read,
            }));
        }
        let values = estimate.most_values(plan, spec.group_by);
        let limit = self.limits.bucket_values;
        let may_sketch = spec.accuracy == Accuracy::Approx
            && !spec.functions.iter().any(|f| f.needs_exact_values());
        let retains_values = spec.functions.iter().any(|f| f.needs_values());
        if retains_values && !may_sketch && values > limit as u64 {
            return Err(QueryError::LimitExceeded(LimitExceeded::Values {
                in_bucket: true,
                values,
                limit,
            }));
        }
        Ok(())
    }

    /// Selects the series and plans the scan. See [`SelectSeries::select`] for `attempt`.
    pub(super) async fn plan(
        &self,
        spec: &AggregateSpec,
        attempt: usize,
    ) -> Result<Planned, QueryError> {
        let began = Instant::now();
        let needs_numbers = |metric_type: &MetricType| needs_numbers(spec, metric_type);
        let selection = self
            .series
            .select(&criteria(spec, &needs_numbers), attempt)
            .await?;
        let Selection {
            selected,
            skipped,
            view,
            generation,
            digest,
            data_version,
        } = selection;
        let possible = self.rules.possible(self.clock.now());
        let plan = Plan::new(spec, selected, skipped, view, possible);
        Ok(Planned {
            plan,
            generation,
            digest,
            data_version,
            began,
            ended: Instant::now(),
        })
    }
}

fn criteria<'a>(
    spec: &'a AggregateSpec,
    needs_numbers: &'a (dyn Fn(&MetricType) -> Option<String> + Sync),
) -> SelectionCriteria<'a> {
    SelectionCriteria {
        users: &spec.users,
        selector: &spec.selector,
        filter: spec.filter.as_ref(),
        points: point_source(spec),
        needs_numbers,
        may_remember: true,
    }
}
