//! Runs the queries for points of a case.

use crate::fixture::Fixture;
use crate::generate::case::Case;
use crate::query::points_query::PointsQuery;
use crate::query::points_spec::PointsSpec;
use crate::runner::Outcome;
use crate::runner::user_state::with_report;

/// Performs the operations of a single-user case, and applies a check to each of its queries.
pub(crate) async fn check_points(
    fixture: &Fixture,
    case: &Case<PointsSpec>,
    check: impl AsyncFn(&Fixture, &PointsQuery<'_>, &PointsSpec) -> Outcome,
) -> Outcome {
    let states = case.run(fixture).await?;
    for spec in &case.queries {
        let query = PointsQuery::new(fixture, &states[0], &case.time_span, spec);
        let checked = check(fixture, &query, spec).await;
        checked.map_err(|e| with_report(&e, &query.path(), &states))?;
    }
    Ok(())
}
