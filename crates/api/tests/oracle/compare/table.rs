//! Answers about numeric series as tables, for relations between answers.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::compare::body::{AggregateBody, ReturnedRow};
use crate::fixture::Fixture;
use crate::fixture::json::leaves;
use crate::fixture::metric_type::Path;
use crate::query::AGGREGATES;
use crate::query::parameters::Parameters;
use crate::runner::Outcome;

/// Functions whose results do not depend on the order of floating-point operations.
pub(crate) const EXACT_FUNCTIONS: &str = "count,min,max,first,last,median,p90,mode,distinct,range";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TableKey {
    pub(crate) series: String,
    pub(crate) bucket: String,
    pub(crate) user: Option<Uuid>,
    pub(crate) session: Option<Uuid>,
}

/// The JSON text of each leaf of a row.
pub(crate) type RowLeaves = BTreeMap<Path, String>;

pub(crate) type Table = BTreeMap<TableKey, RowLeaves>;

/// Runs an aggregate query, and returns its rows.
pub(crate) async fn get_table(fixture: &Fixture, parameters: &Parameters) -> Outcome<Table> {
    let path = parameters.path(AGGREGATES);
    let body = AggregateBody::get(fixture, &path).await?;
    let mut table = Table::new();
    for ReturnedRow {
        bucket,
        series,
        user_id,
        session_id,
        value,
    } in body.results
    {
        let key = TableKey {
            series,
            bucket,
            user: user_id,
            session: session_id,
        };
        let row = leaves(&value)
            .into_iter()
            .map(|(path, text)| (path, without_sign_of_zero(text)))
            .collect();
        if table.insert(key.clone(), row).is_some() {
            return Err(format!("GET {path}: the answer has {key:?} twice"));
        }
    }
    Ok(table)
}

/// Removes the sign of a zero, which has a test of its own.
fn without_sign_of_zero(text: String) -> String {
    if text.parse() == Ok(0.0) {
        "0".to_owned()
    } else {
        text
    }
}

pub(crate) fn number(row: &RowLeaves, path: &[String]) -> Option<f64> {
    row.get(path)?.parse().ok()
}

/// Returns the distinct paths below the keys of functions.
pub(crate) fn paths_below_functions(row: &RowLeaves) -> Vec<&[String]> {
    let mut paths: Vec<&[String]> = row.keys().filter_map(|path| path.get(1..)).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// Returns the result of a function of one leaf.
pub(crate) fn function_result(row: &RowLeaves, function: &str, path: &[String]) -> Option<f64> {
    number(row, &[&[function.to_owned()], path].concat())
}

/// Checks that two tables are equal; `what` names them.
pub(crate) fn expect_same(one: &Table, other: &Table, what: &str) -> Outcome {
    let mut keys = one.keys().chain(other.keys());
    match keys.find(|key| one.get(key) != other.get(key)) {
        Some(key) => Err(format!(
            "{what}: for {key:?} one answer has {:?}, the other {:?}",
            one.get(key),
            other.get(key)
        )),
        None => Ok(()),
    }
}
