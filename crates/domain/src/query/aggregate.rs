//! The use case: answer an aggregate query.

use std::ops::Range;
use std::sync::Arc;

use super::AggFunction;
use super::answer::AggregateAnswer;
use super::fold::Fold;
use super::plan::Plan;
use crate::bucket::Calendar;
use crate::clock::Clock;
use crate::metric_type::{Catalogue, CatalogueCache, MetricType, SelectorError, SeriesSelector};
use crate::ports::{AggregateStore, MetricTypeStore, StoreError};
use crate::{SessionId, TimeRules, Timestamp, UserId};

/// A schema may change while a query runs; so often it is run again.
const CATALOGUE_RETRIES: usize = 5;

/// What is asked. Made by parsing at the edge: every part is valid by itself.
#[derive(Debug, Clone)]
pub struct AggregateQuery {
    /// Whose data.
    pub user_id: UserId,
    /// Only this session, if any.
    pub session_id: Option<SessionId>,
    /// Which series.
    pub selector: SeriesSelector,
    /// How time is cut.
    pub calendar: Calendar,
    /// Which points, half-open.
    pub range: Range<Timestamp>,
    /// What is computed, without repetition.
    pub functions: Vec<AggFunction>,
}

/// Why a query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The selection of series is wrong: correct it.
    #[error("series {0}")]
    Series(#[from] SelectorError),
    /// A function of numbers was asked of a series without numbers, by its name.
    #[error("{function} needs numbers, but the values of {series} have none; use first, last or count")]
    NoNumbers {
        /// The series.
        series: String,
        /// The function.
        function: AggFunction,
    },
    /// The answer would have too many rows: ask for less.
    #[error(
        "the answer would have at least {rows} rows, more than the {limit} that are allowed; use a longer interval, a shorter range or fewer series"
    )]
    TooManyRows {
        /// How many it would have.
        rows: usize,
        /// How many it may have.
        limit: usize,
    },
    /// The store could not: try again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers aggregate queries.
pub struct Aggregate {
    pub(super) store: Arc<dyn AggregateStore>,
    metric_types: Arc<dyn MetricTypeStore>,
    catalogue: Arc<CatalogueCache>,
    clock: Arc<dyn Clock>,
    rules: TimeRules,
    max_rows: usize,
}

impl Aggregate {
    /// The use case over its ports; an answer has at most `max_rows` rows.
    #[must_use]
    pub const fn new(
        store: Arc<dyn AggregateStore>,
        metric_types: Arc<dyn MetricTypeStore>,
        catalogue: Arc<CatalogueCache>,
        clock: Arc<dyn Clock>,
        rules: TimeRules,
        max_rows: usize,
    ) -> Self {
        Self { store, metric_types, catalogue, clock, rules, max_rows }
    }

    /// Answers `query` from one snapshot of the store.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn answer(&self, query: &AggregateQuery) -> Result<AggregateAnswer, QueryError> {
        let planned = self.plan(query).await?;
        self.answer_planned(query, planned).await
    }

    /// Runs a plan, and plans again if a metric type changed since.
    pub(super) async fn answer_planned(
        &self,
        query: &AggregateQuery,
        mut planned: (Arc<Catalogue>, Plan),
    ) -> Result<AggregateAnswer, QueryError> {
        for _ in 0..CATALOGUE_RETRIES {
            let (catalogue, plan) = &planned;
            let mut fold = Fold::new(&query.calendar, plan, self.max_rows);
            let scanned = self.store.scan(&plan.request, &mut fold).await;
            if fold.rows() > self.max_rows {
                return Err(QueryError::TooManyRows { rows: fold.rows(), limit: self.max_rows });
            }
            let head = scanned?;
            if head.generation == catalogue.generation {
                return Ok(fold.into_answer(head.version));
            }
            self.catalogue.reload(self.metric_types.as_ref()).await?;
            planned = self.plan(query).await?;
        }
        Err(StoreError::CatalogueChanged.into())
    }

    /// Resolves the series and chooses what to read.
    pub(super) async fn plan(&self, query: &AggregateQuery) -> Result<(Arc<Catalogue>, Plan), QueryError> {
        let known = self.catalogue.current(self.metric_types.as_ref()).await?;
        let refused = match self.plan_with(query, &known) {
            Ok(plan) => return Ok((known, plan)),
            Err(refused) => refused,
        };
        // Another process may have changed the metric types: nothing is refused by an old catalogue.
        if self.metric_types.generation().await? == known.generation {
            return Err(refused);
        }
        let fresh = self.catalogue.reload(self.metric_types.as_ref()).await?;
        let plan = self.plan_with(query, &fresh)?;
        Ok((fresh, plan))
    }

    fn plan_with(&self, query: &AggregateQuery, catalogue: &Catalogue) -> Result<Plan, QueryError> {
        let selected = query.selector.resolve(catalogue)?;
        let needs_numbers = query.functions.iter().find(|f| !f.works_on_text());
        let mut skipped = Vec::new();
        let mut kept: Vec<Arc<MetricType>> = Vec::with_capacity(selected.len());
        for metric_type in selected {
            match needs_numbers {
                Some(&function) if metric_type.channels.is_empty() => {
                    let series = metric_type.series.as_str().to_owned();
                    if query.selector.names_exactly(&series) {
                        return Err(QueryError::NoNumbers { series, function });
                    }
                    skipped.push(series);
                }
                _ => kept.push(metric_type),
            }
        }
        let possible = self.rules.possible(self.clock.now());
        Ok(Plan::new(query, kept, skipped, possible))
    }
}
