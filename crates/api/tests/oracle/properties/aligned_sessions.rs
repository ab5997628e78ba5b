//! Results along a session do not depend on when the session was.

use time_series_testkit::Backend;
use uuid::Uuid;

use crate::compare::aggregate_rows::iso_duration;
use crate::compare::table::{EXACT_FUNCTIONS, Table, TableKey, expect_same, get_table};
use crate::fixture::Fixture;
use crate::fixture::calendar::DAY;
use crate::fixture::session::{Point, Session};
use crate::generate::case::{Case, multi_user_case};
use crate::query::aggregate_spec::{AggregateSpec, full_aggregate};
use crate::query::parameters::Parameters;
use crate::runner::Outcome;
use crate::runner::for_all::for_all;
use crate::runner::session_body::session_body;
use crate::runner::user_state::UserState;

/// Intervals that divide a day.
const INTERVALS: [&str; 6] = ["hour", "6h", "24h", "15m", "90m", "30s"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_along_a_session_do_not_depend_on_its_start() {
    for backend in Backend::ALL {
        let fixture = Fixture::start(backend).await;
        let cases = multi_user_case(6, 0, full_aggregate);
        for_all("aligned", 20, &cases, async |case| {
            shifting_changes_nothing(&fixture, &case).await
        });
    }
}

/// Checks each session of the first user.
async fn shifting_changes_nothing(fixture: &Fixture, case: &Case<AggregateSpec>) -> Outcome {
    let states = case.run(fixture).await?;
    for (slot, session) in &states[0].sessions {
        let interval = INTERVALS[(slot + session.points.len()) % INTERVALS.len()];
        let checked = compare_with_shifted(fixture, states[0].user, session, interval).await;
        checked.map_err(|e| {
            let reports: Vec<String> = states.iter().map(UserState::report).collect();
            format!(
                "{e}\nof session {} after\n{}",
                session.id,
                reports.join("\n")
            )
        })?;
    }
    Ok(())
}

/// Compares a session with a copy that starts at midnight.
async fn compare_with_shifted(
    fixture: &Fixture,
    user: Uuid,
    session: &Session,
    interval: &str,
) -> Outcome {
    let midnight = session.origin().div_euclid(DAY) * DAY;
    let shifted = shifted(session, midnight - session.origin());
    let other_user = Uuid::new_v4();
    let body = session_body(other_user, &shifted, &fixture.catalogue);
    let _ = fixture
        .app
        .post_text("/api/sessions/", &body)
        .await
        .expect(201);

    let original_query = query(user, session.id, interval).with("align", "session");
    let shifted_query = query(other_user, shifted.id, interval);
    let original = get_table(fixture, &original_query).await?;
    let aligned = get_table(fixture, &shifted_query.with("align", "session")).await?;
    expect_same(&original, &aligned, "the session and its shifted copy")?;
    let calendar = get_table(fixture, &shifted_query).await?;
    expect_same(
        &original,
        &with_offsets_from(&calendar, midnight)?,
        "offsets along the session and the calendar of its shifted copy",
    )
}

fn shifted(session: &Session, micros: i64) -> Session {
    Session {
        id: Uuid::new_v4(),
        start: session.start.map(|start| start + micros),
        points: session
            .points
            .iter()
            .map(|point| Point {
                time: point.time + micros,
                ..point.clone()
            })
            .collect(),
    }
}

fn query(user: Uuid, session: Uuid, interval: &str) -> Parameters {
    let mut parameters = Parameters::default();
    parameters.add("user_id", user.to_string());
    parameters.add("session_id", session.to_string());
    parameters.add("series", "num*");
    parameters.add("agg_func", EXACT_FUNCTIONS);
    parameters.add("interval", interval);
    parameters.add("start_time", "1970-01-01");
    parameters.add("end_time", "2026-04-01");
    parameters
}

/// Replaces the time of each bucket by its offset from an instant.
fn with_offsets_from(table: &Table, instant: i64) -> Outcome<Table> {
    let offset = |bucket: &str| -> Outcome<String> {
        let at: jiff::Timestamp = bucket.parse().map_err(|e| format!("{bucket}: {e}"))?;
        Ok(iso_duration(at.as_microsecond() - instant))
    };
    table
        .iter()
        .map(|(key, row)| {
            let key = TableKey {
                series: key.series.clone(),
                bucket: offset(&key.bucket)?,
                user: None,
                session: None,
            };
            Ok((key, row.clone()))
        })
        .collect()
}
