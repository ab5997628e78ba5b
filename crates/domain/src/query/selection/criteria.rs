//! Selection criteria, applied to a catalogue or to the metric types of the users' points.

use std::sync::Arc;

use super::selected_series::{SelectedSeries, Selection};
use crate::UserId;
use crate::metric_type::{Catalogue, MetricType, SeriesSelector};
use crate::ports::{CatalogueView, LeafCondition, PointSource};
use crate::query::error::QueryError;
use crate::query::spec::{AggFunction, AggregateSpec, Fill, ValueFilter};

/// The series and points that a query selects.
pub(in crate::query) struct SelectionCriteria<'a> {
    pub(in crate::query) users: &'a [UserId],
    pub(in crate::query) selector: &'a SeriesSelector,
    pub(in crate::query) filter: Option<&'a ValueFilter>,
    /// The source of the metric types of the users' points.
    pub(in crate::query) points: PointSource,
    /// Returns the name of the function or parameter that needs numbers, for a metric type without
    /// numbers, which the query therefore skips.
    pub(in crate::query) needs_numbers: &'a (dyn Fn(&MetricType) -> Option<String> + Sync),
    /// True if the metric types of the users' points may be remembered from an earlier query.
    pub(in crate::query) may_remember: bool,
}

impl SelectionCriteria<'_> {
    /// Returns the key by which the metric types of a single user's points are remembered.
    pub(super) fn key(&self) -> Option<(UserId, bool)> {
        let [user] = self.users else { return None };
        Some((*user, matches!(self.points, PointSource::Blocks(_))))
    }

    /// Selects from the whole catalogue.
    pub(super) fn of_catalogue(&self, catalogue: &Catalogue) -> Result<Selection, QueryError> {
        let resolved = self.selector.resolve(catalogue)?;
        let generation = catalogue.generation;
        let view = if self.selector.is_exact() {
            CatalogueView::Types {
                generation,
                types: resolved.iter().map(|t| t.schema_version()).collect(),
            }
        } else {
            CatalogueView::Whole(generation)
        };
        let (mut selected, mut skipped) = (Vec::with_capacity(resolved.len()), Vec::new());
        for metric_type in resolved {
            match self.conditions(&metric_type)? {
                Some(conditions) => selected.push(SelectedSeries {
                    metric_type,
                    conditions,
                }),
                None => skipped.push(metric_type),
            }
        }
        Ok(Selection::new(selected, skipped, view, generation))
    }

    /// Selects from the metric types of the users' points. Skipped metric types are found in the
    /// catalogue by their channels.
    pub(super) fn of_users(
        &self,
        catalogue: &Catalogue,
        mut own: Vec<Arc<MetricType>>,
        view: CatalogueView,
    ) -> Result<Selection, QueryError> {
        let is_skipped = |t: &MetricType| {
            (self.needs_numbers)(t).is_some()
                || self.filter.is_some_and(|filter| filter.on(t).is_none())
        };
        let mut skipped = Vec::new();
        for metric_type in catalogue.iter_by_channels(is_skipped) {
            if self.selector.matches(metric_type.series.as_str())
                && self.conditions(metric_type)?.is_none()
            {
                skipped.push(Arc::clone(metric_type));
            }
        }
        skipped.sort_unstable_by(|a, b| a.series.cmp(&b.series));
        own.sort_by(|a, b| a.series.cmp(&b.series));
        let mut selected = Vec::with_capacity(own.len());
        for metric_type in own
            .into_iter()
            .filter(|t| self.selector.matches(t.series.as_str()))
        {
            if let Some(conditions) = self.conditions(&metric_type)? {
                selected.push(SelectedSeries {
                    metric_type,
                    conditions,
                });
            }
        }
        Ok(Selection::new(
            selected,
            skipped,
            view,
            catalogue.generation,
        ))
    }

    /// Returns the conditions on the points of a series; `None` for a series that is skipped.
    fn conditions(
        &self,
        metric_type: &MetricType,
    ) -> Result<Option<Vec<LeafCondition>>, QueryError> {
        if let Some(what) = (self.needs_numbers)(metric_type) {
            let series = metric_type.series.as_str();
            if self.selector.names_exactly(series) {
                return Err(QueryError::NoNumbers {
                    series: series.to_owned(),
                    what,
                });
            }
            return Ok(None);
        }
        Ok(self
            .filter
            .map_or_else(|| Some(Vec::new()), |filter| filter.on(metric_type)))
    }
}

/// Returns the source of the metric types of the users' points for an aggregate query. Day
/// summaries are faster, but contain only numbers.
pub(in crate::query) fn point_source(spec: &AggregateSpec) -> PointSource {
    if numeric_function(spec).is_some() && spec.fill == Fill::None {
        return PointSource::DaySummaries;
    }
    let start = spec.lookback.map_or(spec.range.start, |lookback| {
        lookback.before(spec.range.start)
    });
    PointSource::Blocks(start..spec.range.end)
}

/// Returns the function that a series without numbers cannot answer.
pub(in crate::query) fn needs_numbers(
    spec: &AggregateSpec,
    metric_type: &MetricType,
) -> Option<String> {
    if metric_type.channels.is_empty() {
        numeric_function(spec)
    } else {
        None
    }
}

/// Returns the name of the first function that needs numbers.
fn numeric_function(spec: &AggregateSpec) -> Option<String> {
    let of_points = spec.functions.iter().find(|f| !f.works_on_text());
    // Counting functions return numbers; functions that pick a value return text.
    let picks_text = || spec.functions.iter().any(|f| f.picks_text());
    let of_groups = || {
        spec.over
            .iter()
            .find(|o: &&AggFunction| picks_text() && !o.works_on_text())
    };
    of_points.or_else(of_groups).map(AggFunction::to_string)
}
