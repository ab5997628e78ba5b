//! Downsampled points are real points that represent all points of their series.

use std::collections::BTreeMap;

use time_series_testkit::{Answer, Backend};

use crate::compare::points::{PointsBody, ReturnedPoint};
use crate::fixture::Fixture;
use crate::fixture::metric_type::MetricType;
use crate::generate::case::single_user_case;
use crate::model::points::ExpectedPoint;
use crate::query::points_query::PointsQuery;
use crate::query::points_spec::{PointsSpec, points_spec};
use crate::query::series::{SeriesMatch, match_series};
use crate::runner::for_all::for_all;
use crate::runner::points::check_points;
use crate::runner::{Outcome, expect_status};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downsampled_points_represent_all_points() {
    for backend in Backend::ALL {
        let fixture = Fixture::start(backend).await;
        let cases = single_user_case(7, 6, |_| points_spec());
        for_all("thinned", 50, &cases, async |case| {
            check_points(&fixture, &case, points_represent_all).await
        });
    }
}

/// A returned point, and the number of points that it represents.
#[derive(Clone, Copy)]
struct WeightedPoint<'a> {
    weight: u64,
    point: &'a ExpectedPoint<'a>,
}

async fn points_represent_all(
    fixture: &Fixture,
    query: &PointsQuery<'_>,
    spec: &PointsSpec,
) -> Outcome {
    let mut series: BTreeMap<&str, Vec<&ExpectedPoint<'_>>> = BTreeMap::new();
    for point in &query.points {
        series.entry(point.series()).or_default().push(point);
    }
    let longest = series.values().map(Vec::len).max().unwrap_or_default();
    let max_points = (longest * spec.max_points_percent / 100).clamp(3, 100_000);
    let mut parameters = query.parameters.with("max_points", &max_points.to_string());
    if let Some(method) = spec.method {
        parameters.add("method", method);
    }
    let answer = fixture.app.get(&parameters.path(&query.route)).await;

    let is_named_text = |m: &&MetricType| {
        let by_name = Some(SeriesMatch::ByName);
        !m.is_numeric() && match_series(query.selection, &m.series) == by_name
    };
    let named_text: Vec<&MetricType> = fixture.catalogue.iter().filter(is_named_text).collect();
    let is_skipped = |m: &&MetricType| query.skipped.contains(&m.series.as_str());
    if !named_text.iter().all(is_skipped) {
        return expect_no_numbers(&answer);
    }
    if !named_text.is_empty() && answer.status == 422 {
        // The contract does not say whether a missing leaf or missing numbers are reported first.
        return Ok(());
    }
    expect_status(&answer, 200)?;
    let body = PointsBody::parse(&answer.text)?;
    let kept = match_points(&body.results, &query.points)?;
    if let Some(kept) = kept.iter().find(|k| !k.point.metric_type.is_numeric()) {
        return Err(format!("{} has no numbers", kept.point));
    }
    series.retain(|_, points| points[0].metric_type.is_numeric());
    for (series, all) in series {
        let kept: Vec<WeightedPoint<'_>> = kept
            .iter()
            .filter(|kept| kept.point.series() == series)
            .copied()
            .collect();
        expect_representative(&kept, &all, max_points)
            .map_err(|e| format!("{max_points} of {} points of {series}: {e}", all.len()))?;
    }
    Ok(())
}

/// Checks that a query that names a series without numbers is rejected.
fn expect_no_numbers(answer: &Answer) -> Outcome {
    expect_status(answer, 422)?;
    let faults = answer.faults();
    if faults.iter().any(|fault| fault.ends_with(" no_numbers")) {
        Ok(())
    } else {
        Err(format!("no_numbers expected, {faults:?} returned"))
    }
}

/// Checks that the returned points are a subsequence of all points, each with its weight.
fn match_points<'a>(
    returned: &[ReturnedPoint],
    all: &'a [ExpectedPoint<'a>],
) -> Outcome<Vec<WeightedPoint<'a>>> {
    let mut rest = all.iter();
    let mut matched = Vec::new();
    for returned in returned {
        let point = rest
            .find(|expected| returned.equals(expected))
            .ok_or_else(|| format!("{returned} is not stored, or out of order"))?;
        let weight = returned
            .weight
            .ok_or_else(|| format!("{returned} has no weight"))?;
        matched.push(WeightedPoint { weight, point });
    }
    Ok(matched)
}

/// Checks the points kept of one series: at most the maximum, with the first and the last, and with
/// weights that add up to the number of all points.
fn expect_representative(
    kept: &[WeightedPoint<'_>],
    all: &[&ExpectedPoint<'_>],
    max_points: usize,
) -> Outcome {
    let check = |holds: bool, failure: &str| {
        if holds {
            Ok(())
        } else {
            Err(failure.to_owned())
        }
    };
    check(kept.len() <= max_points, "too many points are kept")?;
    check(kept.iter().all(|k| k.weight > 0), "a weight is 0")?;
    let sum: u64 = kept.iter().map(|k| k.weight).sum();
    check(
        sum == all.len() as u64,
        &format!("the weights add up to {sum}"),
    )?;
    // The first of all points and the first point with a number differ in nulls only.
    let first = [all.first(), all.iter().find(|p| p.has_number())];
    let last = [all.last(), all.iter().rev().find(|p| p.has_number())];
    check(is_one_of(kept.first(), first), "the first is not kept")?;
    check(is_one_of(kept.last(), last), "the last is not kept")?;
    let fits = all.len() <= max_points && all.iter().all(|p| p.has_number());
    check(
        !fits || kept.len() == all.len(),
        "not all points are kept, though they are few enough",
    )
}

fn is_one_of(
    kept: Option<&WeightedPoint<'_>>,
    candidates: [Option<&&ExpectedPoint<'_>>; 2],
) -> bool {
    candidates
        .into_iter()
        .flatten()
        .any(|candidate| kept.is_some_and(|kept| is_indistinguishable(kept.point, candidate)))
}

/// Returns whether two points of one series look equal in an answer.
fn is_indistinguishable(one: &ExpectedPoint<'_>, other: &ExpectedPoint<'_>) -> bool {
    one.time == other.time
        && one.session == other.session
        && one.value.canonical() == other.value.canonical()
}
