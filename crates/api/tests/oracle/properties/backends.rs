//! Both kinds of database give the same answers.

use time_series_testkit::Backend;

use crate::fixture::Fixture;
use crate::generate::case::{Case, single_user_case};
use crate::model::functions::INEXACT_FUNCTIONS;
use crate::query::AGGREGATES;
use crate::query::aggregate_query::AggregateQuery;
use crate::query::aggregate_spec::{AggregateSpec, basic_aggregate};
use crate::query::time_range::TimeRangeSpec;
use crate::runner::Outcome;
use crate::runner::aggregates::check_query;
use crate::runner::for_all::for_all;
use crate::runner::user_state::with_report;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_postgresql_and_timescaledb_give_the_same_answers() {
    let fixtures = [
        Fixture::start(Backend::Plain).await,
        Fixture::start(Backend::Timescaledb).await,
    ];
    let cases = single_user_case(7, 8, basic_aggregate);
    for_all("both", 40, &cases, async |case| {
        answers_are_equal(&fixtures, &case).await
    });
}

/// Compares both answers with the model, and the answers of exact functions with each other.
async fn answers_are_equal(fixtures: &[Fixture; 2], case: &Case<AggregateSpec>) -> Outcome {
    let users = case.new_users();
    let mut states = [users.clone(), users];
    for (fixture, states) in fixtures.iter().zip(&mut states) {
        case.run_for(fixture, states).await?;
    }
    for spec in &case.queries {
        for (fixture, states) in fixtures.iter().zip(&states) {
            check_query(fixture, states, &case.time_span, spec).await?;
        }
        let spec = exact_spec(spec);
        let catalogue = &fixtures[0].catalogue;
        let query = AggregateQuery::new(&states[0], &case.time_span, &spec, catalogue);
        let path = query.parameters.path(AGGREGATES);
        let [plain, timescaledb] = [
            fixtures[0].app.get(&path).await,
            fixtures[1].app.get(&path).await,
        ];
        let is_equal = plain.status == timescaledb.status
            && comparable(&plain.text) == comparable(&timescaledb.text);
        if !is_equal {
            let failure = format!("{}\ndiffers from\n{}", plain.text, timescaledb.text);
            return Err(with_report(&failure, &path, &states[0]));
        }
    }
    Ok(())
}

/// Leaves out inexact functions. Adds an end, since the current time differs between requests.
fn exact_spec(spec: &AggregateSpec) -> AggregateSpec {
    let mut functions = spec.functions.clone();
    functions.retain(|function| !INEXACT_FUNCTIONS.contains(function));
    if functions.is_empty() {
        functions = vec!["count", "max"];
    }
    AggregateSpec {
        functions,
        range: TimeRangeSpec {
            sends_end: true,
            ..spec.range.clone()
        },
        ..spec.clone()
    }
}

/// Removes the version and the signs of zeros from an answer.
fn comparable(text: &str) -> String {
    let (before, version) = text.split_once(r#""version":"#).unwrap_or((text, ""));
    let after = version.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}{}", after.replace(":-0.0", ":0.0"))
}
