//! Points are returned in order, in one answer and in pages.

use time_series_testkit::Backend;

use crate::compare::body::Body;
use crate::compare::points::{PointsBody, ReturnedPoint, expect_points};
use crate::fixture::Fixture;
use crate::generate::case::single_user_case;
use crate::query::parameters::Parameters;
use crate::query::points_query::PointsQuery;
use crate::query::points_spec::{PointsSpec, points_spec};
use crate::runner::for_all::for_all;
use crate::runner::points::check_points;
use crate::runner::{Outcome, ensure};

const MAX_LIMIT: usize = 100_000;
const DEFAULT_LIMIT: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_are_in_order_in_one_answer_and_in_pages() {
    for backend in Backend::ALL {
        let fixture = Fixture::start(backend).await;
        let cases = single_user_case(7, 6, |_| points_spec());
        for_all("points", 50, &cases, async |case| {
            check_points(&fixture, &case, points_are_in_order).await
        });
    }
}

async fn points_are_in_order(
    fixture: &Fixture,
    query: &PointsQuery<'_>,
    spec: &PointsSpec,
) -> Outcome {
    let mut expected = query.points.clone();
    let mut parameters = query.parameters.clone();
    if spec.descending == Some(true) {
        expected.reverse();
    }
    if let Some(is_descending) = spec.descending {
        parameters.add("order", if is_descending { "desc" } else { "asc" });
    }
    let all = parameters.with("limit", &MAX_LIMIT.to_string());
    let body = PointsBody::get(fixture, &all.path(&query.route)).await?;
    expect_points(&body.results, &expected)?;
    expect_metadata(query, spec, &body)?;

    let body = PointsBody::get(fixture, &parameters.path(&query.route)).await?;
    let first = &expected[..expected.len().min(DEFAULT_LIMIT)];
    expect_points(&body.results, first).map_err(|e| format!("without a limit: {e}"))?;

    let limit = (expected.len() / spec.pages).clamp(1, MAX_LIMIT);
    let points = get_pages(fixture, &query.route, &parameters, limit, expected.len()).await?;
    expect_points(&points, &expected).map_err(|e| format!("in pages of {limit}: {e}"))
}

/// Checks the metadata of an answer with all points.
fn expect_metadata(query: &PointsQuery<'_>, spec: &PointsSpec, body: &PointsBody) -> Outcome {
    let metadata = &body.metadata;
    let check = |holds: bool, name: &str| ensure(holds, name, metadata);
    let order = if spec.descending == Some(true) {
        "desc"
    } else {
        "asc"
    };
    check(metadata["next_cursor"].is_null(), "next_cursor")?;
    check(metadata["order"] == order, "order")?;
    check(metadata["limit"] == MAX_LIMIT, "limit")?;
    check(metadata["version"].is_u64(), "version")?;
    let session = query.session.map(|id| id.to_string());
    let returned_session = metadata["session_id"].as_str();
    check(returned_session == session.as_deref(), "session_id")?;
    for edge in ["start_time", "end_time"] {
        let is_sent = query.parameters.contains(edge);
        check(metadata[edge].is_null() != is_sent, edge)?;
    }
    let skipped = metadata["skipped"]
        .as_array()
        .ok_or("metadata.skipped is not a list")?;
    let mut skipped = skipped.iter().filter_map(|series| series.as_str());
    check(
        skipped.all(|series| query.skipped.contains(&series) && query.present.contains(&series)),
        "skipped",
    )
}

/// Follows the cursors. Each page but the last has `limit` points.
async fn get_pages(
    fixture: &Fixture,
    route: &str,
    parameters: &Parameters,
    limit: usize,
    expected: usize,
) -> Outcome<Vec<ReturnedPoint>> {
    let parameters = parameters.with("limit", &limit.to_string());
    let mut path = parameters.path(route);
    let mut points = Vec::new();
    loop {
        let Body { metadata, results } = PointsBody::get(fixture, &path).await?;
        ensure(metadata["limit"] == limit, "limit", &metadata)?;
        let is_full = results.len() == limit;
        points.extend(results);
        let Some(cursor) = metadata["next_cursor"].as_str() else {
            return Ok(points);
        };
        if !is_full || points.len() > expected {
            return Err(format!(
                "a cursor follows {} of {expected} points in pages of {limit}",
                points.len()
            ));
        }
        path = parameters.with("cursor", cursor).path(route);
    }
}
