//! Runs aggregate queries, and compares the answers with the model.

use std::collections::BTreeSet;

use time_series_testkit::Answer;

use crate::compare::aggregate_rows::expect_rows;
use crate::compare::body::AggregateBody;
use crate::compare::metadata::expect_metadata;
use crate::fixture::Fixture;
use crate::generate::case::Case;
use crate::generate::time_span::TimeSpan;
use crate::model::aggregate::Query;
use crate::model::functions::{are_text_functions, is_count};
use crate::query::AGGREGATES;
use crate::query::aggregate_query::AggregateQuery;
use crate::query::aggregate_spec::AggregateSpec;
use crate::query::series::{SeriesMatch, match_series};
use crate::runner::user_state::{UserState, with_report};
use crate::runner::{Outcome, expect_status};

/// Performs all operations of a case, and then checks all its queries.
pub(crate) async fn check_case(fixture: &Fixture, case: &Case<AggregateSpec>) -> Outcome {
    let states = case.run(fixture).await?;
    for spec in &case.queries {
        check_query(fixture, &states, &case.time_span, spec).await?;
    }
    Ok(())
}

/// Checks all queries of a case, twice, after each round of operations.
pub(crate) async fn check_each_round(fixture: &Fixture, case: &Case<AggregateSpec>) -> Outcome {
    let mut states = case.new_users();
    for round in 0..case.rounds() {
        case.run_round(fixture, &mut states, round).await?;
        for spec in case.queries.iter().chain(&case.queries) {
            check_query(fixture, &states, &case.time_span, spec).await?;
        }
    }
    Ok(())
}

/// Runs a query, and compares the answer with the model.
pub(crate) async fn check_query(
    fixture: &Fixture,
    states: &[UserState],
    time_span: &TimeSpan,
    spec: &AggregateSpec,
) -> Outcome {
    let mut query = AggregateQuery::new(states, time_span, spec, &fixture.catalogue);
    let path = query.parameters.path(AGGREGATES);
    let answer = fixture.app.get(&path).await;
    let checked = check_answer(spec, &mut query, &answer);
    checked.map_err(|e| with_report(&e, &path, states))
}

/// The treatment of all series without numbers by a query.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TextHandling {
    Answered,
    Skipped,
    /// Numeric functions over counts: the contract allows both.
    AnsweredOrSkipped,
}

impl TextHandling {
    fn of(functions: &[&str], over: &[&str]) -> Self {
        match (are_text_functions(functions), are_text_functions(over)) {
            (true, true) => Self::Answered,
            (true, false) if functions.iter().all(|f| is_count(f)) => Self::AnsweredOrSkipped,
            _ => Self::Skipped,
        }
    }
}

/// The expected treatment of a selected series.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Treatment {
    Answered,
    Skipped,
    /// The query is rejected with 422.
    Rejected,
    SkippedOrRejected,
    AnsweredOrSkipped,
    Any,
}

impl Treatment {
    fn allows_rejection(self) -> bool {
        matches!(self, Self::SkippedOrRejected | Self::Any)
    }
}

/// Returns the treatment of a series; `None` if the series is not selected.
fn treatment(query: &Query<'_>, selection: &str, index: usize) -> Option<Treatment> {
    let metric_type = &query.catalogue[index];
    let is_named = match_series(selection, &metric_type.series)? == SeriesMatch::ByName;
    let lacks_leaf = query.conditions.iter().any(|c| !c.applies_to(metric_type));
    let text = if metric_type.is_numeric() {
        TextHandling::Answered
    } else {
        TextHandling::of(&query.functions, &query.over)
    };
    Some(match text {
        TextHandling::Answered if lacks_leaf => Treatment::Skipped,
        TextHandling::Answered => Treatment::Answered,
        TextHandling::Skipped if !is_named => Treatment::Skipped,
        TextHandling::Skipped if lacks_leaf => Treatment::SkippedOrRejected,
        TextHandling::Skipped => Treatment::Rejected,
        TextHandling::AnsweredOrSkipped if lacks_leaf && is_named => Treatment::SkippedOrRejected,
        TextHandling::AnsweredOrSkipped if lacks_leaf => Treatment::Skipped,
        TextHandling::AnsweredOrSkipped if is_named => Treatment::Any,
        TextHandling::AnsweredOrSkipped => Treatment::AnsweredOrSkipped,
    })
}

struct TreatedSeries {
    index: usize,
    treatment: Treatment,
}

fn check_answer(
    spec: &AggregateSpec,
    aggregate: &mut AggregateQuery<'_>,
    answer: &Answer,
) -> Outcome {
    let selection = aggregate.selection;
    let query = &mut aggregate.query;
    let selected: Vec<TreatedSeries> = (0..query.catalogue.len())
        .filter_map(|index| {
            let treatment = treatment(query, selection, index)?;
            Some(TreatedSeries { index, treatment })
        })
        .collect();
    if selected.iter().any(|s| s.treatment == Treatment::Rejected) {
        return expect_status(answer, 422);
    }
    if answer.status == 422 && selected.iter().any(|s| s.treatment.allows_rejection()) {
        return Ok(());
    }
    expect_status(answer, 200)?;
    let body = AggregateBody::parse(&answer.text)?;
    let listed: BTreeSet<&str> = body.metadata["skipped"]
        .as_array()
        .ok_or("metadata.skipped is not a list")?
        .iter()
        .filter_map(|series| series.as_str())
        .collect();
    let mut skipped = BTreeSet::new();
    for TreatedSeries { index, treatment } in selected {
        let series = query.catalogue[index].series.as_str();
        let is_answered = match treatment {
            Treatment::Answered => true,
            Treatment::AnsweredOrSkipped | Treatment::Any => !listed.contains(series),
            _ => false,
        };
        if is_answered {
            query.metric_indices.push(index);
        } else {
            skipped.insert(series);
        }
    }
    expect_rows(query, &body)?;
    expect_skipped(query, &skipped, &listed)?;
    expect_metadata(spec, query, &body.metadata)
}

/// Checks that all skipped series with a point in the range are listed, and only series with a
/// point.
fn expect_skipped(query: &Query<'_>, skipped: &BTreeSet<&str>, listed: &BTreeSet<&str>) -> Outcome {
    if let Some(series) = listed.difference(skipped).next() {
        return Err(format!(
            "{series} is listed as skipped; only {skipped:?} may be"
        ));
    }
    if let Some(series) = listed.iter().find(|s| !has_point(query, s, |_| true)) {
        return Err(format!("{series} is listed as skipped, but has no point"));
    }
    let is_in_range = |time: i64| (query.start..query.end).contains(&time);
    let mut unlisted = skipped.difference(listed);
    match unlisted.find(|series| has_point(query, series, is_in_range)) {
        Some(series) => Err(format!("{series} is skipped, but not listed")),
        None => Ok(()),
    }
}

/// Returns whether the queried sessions have a point of a series at an accepted time.
fn has_point(query: &Query<'_>, series: &str, accepts: impl Fn(i64) -> bool) -> bool {
    query
        .users
        .iter()
        .flat_map(|user| &user.sessions)
        .filter(|session| query.session.is_none_or(|only| only == session.id))
        .flat_map(|session| &session.points)
        .any(|p| query.catalogue[p.metric_index].series == series && accepts(p.time))
}
