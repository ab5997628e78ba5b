//! Answers do not depend on how points are distributed over sessions and requests.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use time_series_testkit::Backend;
use uuid::Uuid;

use crate::fixture::Fixture;
use crate::fixture::calendar::{DAY, timestamp};
use crate::fixture::random::SeededRng;
use crate::fixture::session::{Point, Session};
use crate::generate::case::{Case, single_user_case};
use crate::query::AGGREGATES;
use crate::query::aggregate_spec::{AggregateSpec, basic_aggregate};
use crate::query::parameters::Parameters;
use crate::runner::aggregates::check_query;
use crate::runner::for_all::for_all;
use crate::runner::session_body::session_body;
use crate::runner::user_state::UserState;
use crate::runner::{Outcome, expect_status};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_do_not_depend_on_the_distribution_over_sessions() {
    for backend in Backend::ALL {
        let fixture = Fixture::start(backend).await;
        for_all("split", 40, &split_case(), async |split| {
            answers_are_equal(&fixture, &split).await
        });
    }
}

/// A case whose points are also written in other sessions, in another order, some of them twice.
#[derive(Debug, Clone)]
struct SplitCase {
    case: Case<AggregateSpec>,
    sessions: u64,
    seed: u64,
    /// True for a session that is written twice; applied by slot, cyclically.
    retries: Vec<bool>,
}

fn split_case() -> impl Strategy<Value = SplitCase> {
    let case = single_user_case(5, 4, basic_aggregate);
    (case, 1..6_u64, any::<u64>(), vec(any::<bool>(), 8)).prop_map(
        |(case, sessions, seed, retries)| SplitCase {
            case,
            sessions,
            seed,
            retries,
        },
    )
}

async fn answers_are_equal(fixture: &Fixture, split: &SplitCase) -> Outcome {
    let case = &split.case;
    let original = case.run(fixture).await?.remove(0);
    let redistributed = write_redistributed(fixture, split, &original).await?;
    let [one, other] = [
        get_rows(fixture, case, &original, original.user).await?,
        get_rows(fixture, case, &original, redistributed.user).await?,
    ];
    if one != other {
        return Err(format!(
            "{one}\ndiffers from\n{other}\nafter\n{}\nand\n{}",
            original.report(),
            redistributed.report()
        ));
    }
    // The model bounds the sums of both.
    for spec in &case.queries {
        for state in [&original, &redistributed] {
            let states = std::slice::from_ref(state);
            check_query(fixture, states, &case.time_span, spec).await?;
        }
    }
    Ok(())
}

/// Writes the points of a user for another user, in other sessions.
async fn write_redistributed(
    fixture: &Fixture,
    split: &SplitCase,
    original: &UserState,
) -> Outcome<UserState> {
    let mut state = UserState::new(Uuid::new_v4());
    for (slot, session) in redistributed_sessions(split, original)
        .into_iter()
        .enumerate()
    {
        let body = session_body(state.user, &session, &fixture.catalogue);
        let statuses: &[u16] = if split.retries[slot % split.retries.len()] {
            &[201, 200]
        } else {
            &[201]
        };
        for status in statuses {
            let answer = fixture.app.post_text("/api/sessions/", &body).await;
            expect_status(&answer, *status).map_err(|e| format!("{e}\nPOST {body}"))?;
        }
        state.record(format!("POST {body}"));
        state.sessions.insert(slot, session);
    }
    Ok(state)
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SplitKey {
    session: u64,
    period: i64,
}

fn redistributed_sessions(split: &SplitCase, original: &UserState) -> Vec<Session> {
    // The points of a session lie in one period of 30 days, since a session may be 31 days long.
    let mut points: BTreeMap<SplitKey, Vec<Point>> = BTreeMap::new();
    for (index, point) in original.points().into_iter().enumerate() {
        let key = SplitKey {
            session: SeededRng::for_element(split.seed, index).below(split.sessions),
            period: point.time.div_euclid(30 * DAY),
        };
        points.entry(key).or_default().push(point.clone());
    }
    let mut sessions: Vec<Session> = points
        .into_values()
        .map(|points| Session {
            id: Uuid::new_v4(),
            start: None,
            points,
        })
        .collect();
    let mut rng = SeededRng::new(split.seed);
    sessions.sort_by_cached_key(|_| rng.next());
    sessions
}

/// Returns the rows of exact functions over all points, without the signs of zeros.
async fn get_rows(
    fixture: &Fixture,
    case: &Case<AggregateSpec>,
    state: &UserState,
    user: Uuid,
) -> Outcome<String> {
    let times: Vec<i64> = state.points().iter().map(|p| p.time).collect();
    let first = times.iter().min().copied().unwrap_or_default();
    let last = times.iter().max().copied().unwrap_or_default();
    let mut parameters = Parameters::default();
    parameters.add("user_id", user.to_string());
    parameters.add("start_time", timestamp(first - DAY).to_string());
    parameters.add("end_time", timestamp(last + 1).to_string());
    parameters.add("tz", case.time_span.zone);
    parameters.add("series", "num*");
    parameters.add("agg_func", "count,min,max,first,last");
    parameters.add("interval", "day");
    let answer = fixture.app.get(&parameters.path(AGGREGATES)).await;
    answer
        .text
        .split_once(r#""results":"#)
        .map(|(_, rows)| rows.replace(":-0.0", ":0.0"))
        .ok_or_else(|| format!("the answer has no results: {}", answer.text))
}
