//! Answers as tables, for what must hold between them.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::json::leaves;
use crate::play::{Outcome, World};
use crate::wide::ask::Parameters;
use crate::wide::compare::{Body, GotRow};
use crate::wide::model::Path;
use crate::wide::play::ROUTE;

/// Functions whose answers do not depend on the order in which numbers are put together.
pub(crate) const EXACT: &str = "count,min,max,first,last,median,p90,mode,distinct,range";

/// Series, bucket, user, session.
pub(crate) type Key = (String, String, Option<Uuid>, Option<Uuid>);

/// What each leaf says, as it is spelled.
pub(crate) type Leaves = BTreeMap<Path, String>;

/// Rows of numeric series.
pub(crate) type Table = BTreeMap<Key, Leaves>;

/// Asks, and takes the rows apart.
pub(crate) async fn ask(world: &World, parameters: &Parameters) -> Outcome<Table> {
    let path = parameters.path(ROUTE);
    let answer = world.app.get(&path).await;
    if answer.status != 200 {
        return Err(format!("GET {path}: {} {}", answer.status, answer.text));
    }
    let body = Body::read(&answer.text)?;
    let row = |row: &GotRow| {
        let says = leaves(&row.value)
            .into_iter()
            .map(|(path, text)| (path, unsigned(text)))
            .collect();
        (
            (
                row.series.clone(),
                row.bucket.clone(),
                row.user_id,
                row.session_id,
            ),
            says,
        )
    };
    let table: Table = body.results.iter().map(row).collect();
    if table.len() == body.results.len() {
        Ok(table)
    } else {
        Err(format!("GET {path}: rows are there twice"))
    }
}

/// Which of 0.0 and -0.0 is answered has a test of its own.
fn unsigned(text: String) -> String {
    if text.parse() == Ok(0.0) {
        "0".to_owned()
    } else {
        text
    }
}

pub(crate) fn number(leaves: &Leaves, path: &[String]) -> Option<f64> {
    leaves.get(path)?.parse().ok()
}

/// The leaves that a row speaks of, where each is under the name of a function.
pub(crate) fn below_functions(leaves: &Leaves) -> Vec<&[String]> {
    let mut paths: Vec<&[String]> = leaves.keys().filter_map(|path| path.get(1..)).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// What a function says of a leaf.
pub(crate) fn of(leaves: &Leaves, function: &str, path: &[String]) -> Option<f64> {
    number(leaves, &[&[function.to_owned()], path].concat())
}

pub(crate) fn same(one: &Table, other: &Table, what: &str) -> Outcome {
    if one == other {
        return Ok(());
    }
    let fault = one.iter().find(|(key, row)| other.get(key) != Some(row));
    let fault = fault.or_else(|| other.iter().find(|(key, _)| !one.contains_key(key)));
    let Some((key, _)) = fault else { return Ok(()) };
    Err(format!(
        "{what}: of {key:?} one says {:?}, the other {:?}",
        one.get(key),
        other.get(key)
    ))
}
