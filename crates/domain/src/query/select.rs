//! Which series a query is about.

use std::sync::Arc;

use super::aggregate::QueryError;
use super::ask::{AggFunction, AggregateQuery, ValueFilter};
use super::plan::Selected;
use crate::metric_type::{Catalogue, MetricType, SeriesSelector};

/// The series that a query aggregates, and the names of those that it skips.
pub(super) fn select(
    query: &AggregateQuery,
    catalogue: &Catalogue,
) -> Result<(Vec<Selected>, Vec<String>), QueryError> {
    select_series(&query.selector, query.filter.as_ref(), catalogue, |metric_type| needs_numbers(query, metric_type))
}

/// The series that are selected, have the leaves that the filter names, and lack no numbers that are needed.
pub(super) fn select_series(
    selector: &SeriesSelector,
    filter: Option<&ValueFilter>,
    catalogue: &Catalogue,
    needs_numbers: impl Fn(&MetricType) -> Option<String>,
) -> Result<(Vec<Selected>, Vec<String>), QueryError> {
    let mut skipped = Vec::new();
    let mut kept: Vec<Selected> = Vec::new();
    for metric_type in selector.resolve(catalogue)? {
        let series = || metric_type.series.as_str().to_owned();
        if let Some(what) = needs_numbers(&metric_type) {
            if selector.names_exactly(&series()) {
                return Err(QueryError::NoNumbers { series: series(), what });
            }
            skipped.push(series());
            continue;
        }
        match filter.map(|f| f.on(&metric_type)) {
            None => kept.push(Selected { metric_type: Arc::clone(&metric_type), conditions: Vec::new() }),
            Some(Some(conditions)) => kept.push(Selected { metric_type: Arc::clone(&metric_type), conditions }),
            Some(None) => skipped.push(series()),
        }
    }
    Ok((kept, skipped))
}

/// The function that a series without numbers cannot answer.
fn needs_numbers(query: &AggregateQuery, metric_type: &MetricType) -> Option<String> {
    if !metric_type.channels.is_empty() {
        return None;
    }
    let of_points = query.functions.iter().find(|f| !f.works_on_text());
    // What counts gives numbers; what picks a value gives text.
    let text_over = || query.functions.iter().any(|f| f.picks_text());
    let of_groups = || query.over.iter().find(|o: &&AggFunction| text_over() && !o.works_on_text());
    of_points.or_else(of_groups).map(AggFunction::to_string)
}
