//! Aggregate answers have the same content in every shape, layout and format.

use reqwest::Method;
use serde_json::value::RawValue;
use time_series_testkit::Backend;

use crate::compare::body::{Body, Lines};
use crate::compare::flat::{Columns, FlatKey, FlatRow};
use crate::fixture::Fixture;
use crate::generate::case::{Case, multi_user_case};
use crate::model::functions::{INEXACT_FUNCTIONS, are_text_functions};
use crate::query::AGGREGATES;
use crate::query::aggregate_query::AggregateQuery;
use crate::query::aggregate_spec::{AggregateSpec, full_aggregate};
use crate::query::parameters::Parameters;
use crate::query::series::SeriesSpec;
use crate::runner::Outcome;
use crate::runner::for_all::for_all;
use crate::runner::user_state::with_report;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_shape_layout_and_format_has_the_same_content() {
    for backend in Backend::ALL {
        let fixture = Fixture::start(backend).await;
        let cases = multi_user_case(6, 5, full_aggregate);
        for_all("shapes", 30, &cases, async |case| {
            formats_agree(&fixture, &case).await
        });
    }
}

async fn formats_agree(fixture: &Fixture, case: &Case<AggregateSpec>) -> Outcome {
    let states = case.run(fixture).await?;
    for spec in &case.queries {
        let spec = exact_spec(spec);
        let query = AggregateQuery::new(&states, &case.time_span, &spec, &fixture.catalogue);
        let checked = compare_formats(fixture, &spec, &query.parameters).await;
        checked.map_err(|e| with_report(&e, &query.parameters.path(AGGREGATES), &states))?;
    }
    Ok(())
}

/// Leaves out functions whose last bits may differ between requests.
fn exact_spec(spec: &AggregateSpec) -> AggregateSpec {
    let exact = |functions: &[&'static str], default: &[&'static str]| -> Vec<&'static str> {
        let mut exact = functions.to_vec();
        exact.retain(|function| !INEXACT_FUNCTIONS.contains(function));
        if exact.is_empty() {
            default.to_vec()
        } else {
            exact
        }
    };
    let mut exact_spec = AggregateSpec {
        functions: exact(&spec.functions, &["count", "max"]),
        explain: false,
        ..spec.clone()
    };
    if !spec.over.is_empty() {
        exact_spec.over = exact(&spec.over, &["median"]);
    }
    if !accepts_text(&exact_spec) {
        exact_spec.series = SeriesSpec::Selection("num*");
    }
    exact_spec
}

fn accepts_text(spec: &AggregateSpec) -> bool {
    are_text_functions(&spec.functions) && are_text_functions(&spec.over)
}

async fn compare_formats(
    fixture: &Fixture,
    spec: &AggregateSpec,
    parameters: &Parameters,
) -> Outcome {
    let columns = Columns {
        functions: &spec.functions,
        over: &spec.over,
    };
    let catalogue = &fixture.catalogue;
    let flat = parameters.with("shape", "flat");
    let ndjson = parameters.with("format", "ndjson");
    let flat_ndjson = flat.with("format", "ndjson");
    let column_layout = parameters.with("layout", "columns");

    let nested = columns.read_nested(&get_json(fixture, parameters).await?, catalogue)?;
    let rows = columns.read_flat(&get_json(fixture, &flat).await?)?;
    expect_same_order("flat JSON", &nested, &rows)?;
    let rows = columns.read_nested(&get_lines(fixture, &ndjson).await?, catalogue)?;
    expect_same_order("NDJSON", &nested, &rows)?;
    let rows = columns.read_flat(&get_lines(fixture, &flat_ndjson).await?)?;
    expect_same_order("flat NDJSON", &nested, &rows)?;
    let rows = columns.read_column_layout(&get_json(fixture, &column_layout).await?)?;
    expect_same_rows("layout=columns", &nested, &rows)?;
    if accepts_text(spec) {
        return Ok(()); // the contract does not define the CSV of values that are not numbers
    }
    let rows = columns.read_csv(&get_csv(fixture, parameters).await?)?;
    expect_same_order("CSV", &nested, &rows)
}

async fn get_json(fixture: &Fixture, parameters: &Parameters) -> Outcome<Vec<Box<RawValue>>> {
    let body = Body::get(fixture, &parameters.path(AGGREGATES)).await?;
    Ok(body.results)
}

async fn get_lines(fixture: &Fixture, parameters: &Parameters) -> Outcome<Vec<Box<RawValue>>> {
    let path = parameters.path(AGGREGATES);
    let answer = fixture.app.get(&path).await;
    let lines = Lines::parse(&answer.text).map_err(|e| format!("GET {path}: {e}"))?;
    Ok(lines.rows)
}

/// Requests CSV by `format` and by `Accept`, and checks that the answers are equal.
async fn get_csv(fixture: &Fixture, parameters: &Parameters) -> Outcome<String> {
    let path = parameters.path(AGGREGATES);
    let headers = [("accept", "text/csv")];
    let by_accept = fixture
        .app
        .request(Method::GET, &path, None, &headers)
        .await;
    let by_format = parameters.with("format", "csv").path(AGGREGATES);
    let by_format = fixture.app.get(&by_format).await;
    let content_type = by_format
        .headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !content_type.starts_with("text/csv") {
        return Err(format!(
            "GET {path} as CSV: {content_type} {}",
            by_format.text
        ));
    }
    if by_accept.text == by_format.text {
        Ok(by_format.text)
    } else {
        Err(format!("GET {path}: Accept and format give different CSV"))
    }
}

/// Checks that the rows are equal, and that their keys are in the same order. The contract does not
/// order the leaves of a row.
fn expect_same_order(what: &str, nested: &[FlatRow], other: &[FlatRow]) -> Outcome {
    let keys_without_leaf = |rows: &[FlatRow]| {
        let mut keys: Vec<FlatKey> = rows
            .iter()
            .map(|row| FlatKey {
                leaf: None,
                ..row.key.clone()
            })
            .collect();
        keys.dedup();
        keys
    };
    expect_same_rows(what, nested, other)?;
    if keys_without_leaf(nested) == keys_without_leaf(other) {
        Ok(())
    } else {
        Err(format!("{what}: rows are in another order"))
    }
}

fn expect_same_rows(what: &str, nested: &[FlatRow], other: &[FlatRow]) -> Outcome {
    let mut nested = nested.to_vec();
    let mut other = other.to_vec();
    nested.sort();
    other.sort();
    if nested == other {
        return Ok(());
    }
    let missing = nested.iter().find(|row| !other.contains(row));
    let surplus = other.iter().find(|row| !nested.contains(row));
    Err(format!("{what}: missing {missing:?}, surplus {surplus:?}"))
}
