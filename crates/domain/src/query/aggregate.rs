//! The use case: answer an aggregate query.

use std::sync::Arc;
use std::time::Instant;

use super::answer::{
    AggregateAnswer, BucketRow, Figure, Finished, Gaps, SeriesAnswer, finish, over,
};
use super::ask::{AggregateQuery, Axis, Fill};
use super::fold::{Fold, Folded, Part, QueryLimits, Refusal};
use super::memory_budget::{MemoryReservation, QueryMemory};
use super::plan::{Estimate, Plan};
use super::select::{
    CATALOGUE_ATTEMPTS, Choice, SelectSeries, Selection, names_of_present, needs_numbers,
    point_source,
};
use crate::catalogue::CatalogueCache;
use crate::clock::Clock;
use crate::metric_type::{MetricType, SelectorError};
use crate::ports::{AggregateStore, CatalogueView, MetricTypeStore, ScanHead, StoreError};
use crate::{TimeRules, Timestamp, UserId};

/// So many rows of groups may be aggregated once more, even if an answer may have few.
const GROUP_ROWS: usize = 1_000_000;

/// Why a query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The selection of series is wrong: correct it.
    #[error("series {0}")]
    Series(#[from] SelectorError),
    /// A function of numbers was asked of a series without numbers, by its name.
    #[error(
        "{what} needs numbers, but the values of {series} have none; use first, last, count, mode or distinct"
    )]
    NoNumbers {
        /// The series.
        series: String,
        /// What needs them.
        what: String,
    },
    /// It would exceed a limit: ask for less.
    #[error("{0}")]
    TooMuch(Refusal),
    /// The store could not: try again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers aggregate queries.
pub struct Aggregate {
    pub(super) store: Arc<dyn AggregateStore>,
    series: SelectSeries,
    clock: Arc<dyn Clock>,
    rules: TimeRules,
    limits: QueryLimits,
    memory: Arc<QueryMemory>,
}

/// A plan, the metric types that it depends on, and when planning began.
pub(super) struct Planned {
    pub(super) plan: Plan,
    /// The catalogue's generation that it was made from.
    pub(super) generation: u64,
    /// Digest of the metric types that it depends on.
    pub(super) digest: u64,
    /// The head at which it was made, if it was made from the users' points as they are now.
    pub(super) head: Option<ScanHead>,
    began: Instant,
    ended: Instant,
}

impl Planned {
    /// Whether it was made from what was remembered of the user's points.
    const fn is_remembered(&self) -> bool {
        self.head.is_none() && matches!(self.plan.request.view, CatalogueView::OfUsers { .. })
    }
}

impl Aggregate {
    /// The use case over its ports.
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

    /// Answers `query` from one snapshot of the store.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn answer(&self, query: &AggregateQuery) -> Result<AggregateAnswer, QueryError> {
        let planned = self.plan(query, 0).await?;
        self.answer_planned(query, planned).await
    }

    /// The moment that the next answer would show at least.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn head(&self, users: &[UserId]) -> Result<ScanHead, StoreError> {
        self.store.head(users).await
    }

    /// The head of the next answer to `query`: it changes with the users' data, and with the metric types that the answer
    /// depends on.
    ///
    /// # Errors
    /// [`QueryError`], where the query cannot be planned.
    pub async fn head_of(&self, query: &AggregateQuery) -> Result<ScanHead, QueryError> {
        let head = self.store.head(&query.users).await?;
        let needs_numbers = |metric_type: &MetricType| needs_numbers(query, metric_type);
        self.series
            .shown(&choice(query, &needs_numbers), head)
            .await
    }

    /// Runs a plan, and plans again if a metric type that it depends on changed since.
    pub(super) async fn answer_planned(
        &self,
        query: &AggregateQuery,
        mut planned: Planned,
    ) -> Result<AggregateAnswer, QueryError> {
        for attempt in 1..=CATALOGUE_ATTEMPTS {
            let plan = &planned.plan;
            match self.refuse_what_is_too_much(query, plan).await {
                Err(QueryError::Store(StoreError::CatalogueChanged)) => {
                    planned = self.plan(query, attempt).await?;
                    continue;
                }
                checked => checked?,
            }
            let mut fold = Fold::new(
                query,
                plan,
                self.fold_limits(query),
                self.memory.reservation(),
            );
            let began = Instant::now();
            let scanned = match self.store.scan(&plan.request, &mut fold).await {
                Ok(head) => fold.end().map(|()| head),
                failed => failed,
            };
            let read = began.elapsed();
            if let Some(refusal) = fold.refusal() {
                return Err(QueryError::TooMuch(match refusal {
                    Refusal::Rows { rows, limit } if !query.over.is_empty() => {
                        Refusal::Groups { rows, limit }
                    }
                    refusal => refusal,
                }));
            }
            let head = match scanned {
                Err(StoreError::CatalogueChanged) => {
                    planned = self.plan(query, attempt).await?;
                    continue;
                }
                scanned => scanned?,
            };
            if planned.is_remembered() && planned.generation < head.generation {
                // The series that are skipped are those of the catalogue as of now.
                planned = self.plan(query, attempt).await?;
                continue;
            }
            let began = Instant::now();
            let (folded, mut work) = fold.into_cells();
            work.plan = planned.ended - planned.began;
            work.read = read.saturating_sub(work.fold);
            let shown = ScanHead {
                version: head.version,
                generation: planned.digest,
            };
            let mut answer = self.finish(query, plan, folded, shown)?;
            let (rows, limit) = (answer.rows(), self.limits.rows);
            if rows > limit {
                return Err(QueryError::TooMuch(Refusal::Rows { rows, limit }));
            }
            work.finish = began.elapsed();
            answer.work = work;
            return Ok(answer);
        }
        Err(StoreError::CatalogueChanged.into())
    }

    /// The rows of groups that are aggregated once more are none of the answer's, but have to be held.
    fn fold_limits(&self, query: &AggregateQuery) -> QueryLimits {
        if query.over.is_empty() {
            return self.limits;
        }
        QueryLimits {
            rows: self.limits.rows.max(GROUP_ROWS),
            ..self.limits
        }
    }

    /// Asks the day summaries, where they can tell, what a long query would read.
    async fn refuse_what_is_too_much(
        &self,
        query: &AggregateQuery,
        plan: &Plan,
    ) -> Result<(), QueryError> {
        if query.fill != Fill::None
            && let Axis::Calendar(calendar) = &query.axis
        {
            let (rows, limit) = (calendar.min_buckets(&query.range), self.limits.rows);
            if rows > limit {
                return Err(QueryError::TooMuch(Refusal::Rows { rows, limit }));
            }
        }
        let Some(mut estimate) = Estimate::of(plan) else {
            return Ok(());
        };
        let request = estimate.request.clone();
        self.store.scan(&request, &mut estimate).await?;
        let points = estimate.points(plan);
        if points > self.limits.points_read {
            return Err(QueryError::TooMuch(Refusal::Points {
                points,
                limit: self.limits.points_read,
            }));
        }
        let (values, limit) = (
            estimate.most_values(plan, query.group_by),
            self.limits.bucket_values,
        );
        let may_sketch = query.accuracy == super::Accuracy::Approx
            && !query.functions.iter().any(|f| f.needs_exact_values());
        let keeps_values = query.functions.iter().any(|f| f.needs_values());
        if keeps_values && !may_sketch && values > limit as u64 {
            return Err(QueryError::TooMuch(Refusal::Values {
                in_bucket: true,
                values,
                limit,
            }));
        }
        Ok(())
    }

    /// Makes the rows of the answer out of the cells.
    fn finish(
        &self,
        query: &AggregateQuery,
        plan: &Plan,
        folded: Folded,
        head: ScanHead,
    ) -> Result<AggregateAnswer, QueryError> {
        let Folded {
            first_points,
            before,
            asked,
            groups,
            mut memory,
            present,
        } = folded;
        let mut series: Vec<SeriesAnswer> = Vec::new();
        let mut approximate = 0;
        let mut known: Vec<Option<Finished>> = Vec::new();
        for (place, ((selected, asked), before)) in
            plan.series.iter().zip(asked).zip(before).enumerate()
        {
            let rows_of = |part, rows| {
                let first_point = |group| first_points.get(&(part, place, group)).copied();
                let finished = finish(
                    selected.metric_type.clone(),
                    &query.functions,
                    rows,
                    &groups,
                    first_point,
                );
                if query.over.is_empty() {
                    finished
                } else {
                    over(query, finished)
                }
            };
            let known_before = (!before.is_empty()).then(|| rows_of(Part::Before, before));
            let finished = rows_of(Part::Asked, asked);
            approximate += finished.approximate;
            if query.fill.carries() {
                approximate += known_before.as_ref().map_or(0, |before| before.approximate);
            }
            known.push(known_before);
            series.push(finished.series);
        }
        if query.fill != Fill::None {
            self.fill(query, &mut series, &known, &mut memory)?;
        }
        series.retain(|series| !series.rows.is_empty());
        memory.shrink_to(series.iter().map(SeriesAnswer::heap_bytes).sum());
        Ok(AggregateAnswer {
            version: head.version,
            generation: head.generation,
            series,
            skipped: names_of_present(&plan.skipped, &present),
            approximate,
            work: super::Work::default(),
            memory: Arc::new(memory),
        })
    }

    fn fill(
        &self,
        query: &AggregateQuery,
        series: &mut [SeriesAnswer],
        before: &[Option<Finished>],
        memory: &mut MemoryReservation,
    ) -> Result<(), QueryError> {
        let groups: usize = series
            .iter()
            .zip(before)
            .map(|(series, before)| groups(series, before.as_ref()))
            .sum();
        if groups == 0 {
            return Ok(());
        }
        let limit = self.limits.rows;
        let buckets = buckets(query, series, limit / groups).map_err(|buckets| {
            QueryError::TooMuch(Refusal::Rows {
                rows: buckets.saturating_mul(groups),
                limit,
            })
        })?;
        let row_bytes =
            |s: &SeriesAnswer| size_of::<BucketRow>() + s.columns.len() * size_of::<Figure>();
        let widest = series.iter().map(row_bytes).max().unwrap_or(0);
        let unfilled: usize = series.iter().map(SeriesAnswer::heap_bytes).sum();
        memory
            .grow_to(unfilled + buckets.len() * groups * widest)
            .map_err(QueryError::TooMuch)?;
        let gaps = Gaps {
            fill: query.fill,
            buckets: &buckets,
        };
        for (series, before) in series.iter_mut().zip(before) {
            *series = gaps.fill(series, before.as_ref());
        }
        Ok(())
    }

    /// Selects the series and chooses what to read. See [`SelectSeries::select`] for `attempt`.
    pub(super) async fn plan(
        &self,
        query: &AggregateQuery,
        attempt: usize,
    ) -> Result<Planned, QueryError> {
        let began = Instant::now();
        let needs_numbers = |metric_type: &MetricType| needs_numbers(query, metric_type);
        let selection = self
            .series
            .select(&choice(query, &needs_numbers), attempt)
            .await?;
        let (generation, digest, head) = (selection.generation, selection.digest, selection.head);
        let Selection {
            kept,
            skipped,
            view,
            ..
        } = selection;
        let possible = self.rules.possible(self.clock.now());
        let plan = Plan::new(query, kept, skipped, view, possible);
        Ok(Planned {
            plan,
            generation,
            digest,
            head,
            began,
            ended: Instant::now(),
        })
    }
}

fn choice<'a>(
    query: &'a AggregateQuery,
    needs_numbers: &'a (dyn Fn(&MetricType) -> Option<String> + Sync),
) -> Choice<'a> {
    Choice {
        users: &query.users,
        selector: &query.selector,
        filter: query.filter.as_ref(),
        points: point_source(query),
        needs_numbers,
        may_remember: true,
    }
}

/// How many groups of a series have a row in the range or the lookback.
fn groups(series: &SeriesAnswer, before: Option<&Finished>) -> usize {
    let rows = series
        .rows
        .iter()
        .chain(before.iter().flat_map(|before| &before.series.rows));
    let mut groups: Vec<_> = rows.map(|row| row.group).collect();
    groups.sort_unstable();
    groups.dedup();
    groups.len()
}

/// The starts of the buckets that have a row in a filled answer: all of the range, or on a session's axis those between
/// the least and the greatest that has a point.
///
/// # Errors
/// How many there are at least, where they are more than `most`: they are counted before they are made.
fn buckets(
    query: &AggregateQuery,
    series: &[SeriesAnswer],
    most: usize,
) -> Result<Vec<Timestamp>, usize> {
    let known = || series.iter().flat_map(|s| &s.rows).map(|row| row.bucket);
    match &query.axis {
        Axis::Calendar(calendar) => {
            let least = calendar.min_buckets(&query.range);
            if least > most {
                return Err(least);
            }
            let buckets = calendar
                .buckets(query.range.clone())
                .map(|bucket| bucket.start());
            let starts: Vec<Timestamp> = buckets.take(most.saturating_add(1)).collect();
            if starts.len() > most {
                Err(starts.len())
            } else {
                Ok(starts)
            }
        }
        Axis::SinceStart(offsets) => {
            let Some((first, last)) = known().min().zip(known().max()) else {
                return Ok(Vec::new());
            };
            let steps = offsets.count(first, last);
            if steps > most {
                Err(steps)
            } else {
                Ok(offsets.starts(first, last).collect())
            }
        }
    }
}
