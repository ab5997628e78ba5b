//! The latest points and the catalogue of series equal the stored points.

use std::collections::{BTreeMap, BTreeSet};

use proptest::strategy::Just;
use serde::Deserialize;
use time_series_testkit::Backend;
use uuid::Uuid;

use crate::compare::body::Body;
use crate::compare::points::{PointsBody, expect_points, parse_utc};
use crate::fixture::Fixture;
use crate::generate::case::{Case, single_user_case};
use crate::model::points::{ExpectedPoint, stored_points};
use crate::query::parameters::Parameters;
use crate::query::series::{SELECTIONS, add_series, is_selected};
use crate::runner::for_all::for_all;
use crate::runner::user_state::{UserState, with_report};
use crate::runner::{Outcome, ensure};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latest_points_and_catalogue_equal_the_stored_points() {
    for backend in Backend::ALL {
        let fixture = Fixture::start(backend).await;
        let cases = single_user_case(9, 0, |_| Just(()));
        for_all("overview", 40, &cases, async |case| {
            overview_is_current(&fixture, &case).await
        });
    }
}

/// A series of the catalogue. Unknown members are errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueEntry {
    series: String,
    unit: String,
    first_time: String,
    last_time: String,
    points: usize,
    sessions: usize,
}

/// The stored points of each series by time, session and arrival.
type SeriesPoints<'a> = BTreeMap<&'a str, Vec<ExpectedPoint<'a>>>;

/// Runs both queries after each operation, for all series and for a selection.
async fn overview_is_current(fixture: &Fixture, case: &Case<()>) -> Outcome {
    let mut states = case.new_users();
    for round in 0..case.rounds() {
        case.run_round(fixture, &mut states, round).await?;
        let state = &states[0];
        for selection in ["", SELECTIONS[round * 7 % SELECTIONS.len()]] {
            let mut parameters = Parameters::default();
            parameters.add("user_id", state.user.to_string());
            add_series(&mut parameters, selection);
            let stored = selected_points(fixture, state, selection);
            let latest = parameters.path("/api/latest/");
            let checked = expect_latest(fixture, &latest, &stored).await;
            checked.map_err(|e| with_report(&e, &latest, &states))?;
            let catalogue = parameters.path("/api/catalog/");
            let checked = expect_catalogue(fixture, &catalogue, &stored).await;
            checked.map_err(|e| with_report(&e, &catalogue, &states))?;
        }
    }
    Ok(())
}

fn selected_points<'a>(
    fixture: &'a Fixture,
    state: &'a UserState,
    selection: &str,
) -> SeriesPoints<'a> {
    let mut series = SeriesPoints::new();
    for point in stored_points(fixture, state) {
        if is_selected(selection, point.series()) {
            series.entry(point.series()).or_default().push(point);
        }
    }
    for points in series.values_mut() {
        points.sort_by_key(|p| (p.time, p.session, p.arrival));
    }
    series
}

async fn expect_latest(fixture: &Fixture, path: &str, stored: &SeriesPoints<'_>) -> Outcome {
    let body = PointsBody::get(fixture, path).await?;
    let latest: Vec<ExpectedPoint<'_>> = stored
        .values()
        .filter_map(|points| points.last().cloned())
        .collect();
    expect_points(&body.results, &latest)?;
    expect_metadata(&body.metadata)
}

async fn expect_catalogue(fixture: &Fixture, path: &str, stored: &SeriesPoints<'_>) -> Outcome {
    let body: Body<CatalogueEntry> = Body::get(fixture, path).await?;
    let returned: Vec<&str> = body.results.iter().map(|e| e.series.as_str()).collect();
    if !returned.iter().eq(stored.keys()) {
        return Err(format!(
            "{:?} expected, {returned:?} returned",
            stored.keys()
        ));
    }
    for (entry, points) in body.results.iter().zip(stored.values()) {
        let check = |holds: bool, name: &str| ensure(holds, name, &entry.series);
        let sessions: BTreeSet<Uuid> = points.iter().map(|p| p.session).collect();
        let first = points.first().map(|p| p.time);
        let last = points.last().map(|p| p.time);
        check(parse_utc(&entry.first_time) == first, "first_time")?;
        check(parse_utc(&entry.last_time) == last, "last_time")?;
        check(entry.unit.is_empty(), "unit")?;
        check(entry.points == points.len(), "points")?;
        check(entry.sessions == sessions.len(), "sessions")?;
    }
    expect_metadata(&body.metadata)
}

fn expect_metadata(metadata: &serde_json::Value) -> Outcome {
    ensure(metadata["version"].is_u64(), "version", metadata)?;
    ensure(metadata["user_id"].is_string(), "user_id", metadata)
}
