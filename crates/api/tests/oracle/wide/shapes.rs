//! An answer says the same in every shape, layout and format.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ask::Series;
use crate::play::{Outcome, World};
use crate::wide::ask::{Parameters, WideAsk, WideAsked};
use crate::wide::flat::{Columns, Flat, Place};
use crate::wide::functions::OF_TEXT;
use crate::wide::play::{ROUTE, WideCase, told};

/// What depends on the order in which numbers are put together.
const INEXACT: [&str; 4] = ["avg", "sum", "stddev", "time_avg"];

#[derive(Deserialize)]
struct Body {
    metadata: serde_json::Value,
    results: Vec<Box<RawValue>>,
}

/// Asks each question in every shape.
pub(crate) async fn say_the_same(world: &World, case: &WideCase) -> Outcome {
    let states = case.play(world).await?;
    for ask in &case.asks {
        let ask = exact(ask);
        let asked = WideAsked::new(&states, &case.era, &ask, &world.catalogue);
        let checked = each(world, &ask, &asked.parameters.without("explain")).await;
        checked.map_err(|e| {
            format!(
                "{e}\nof {}\nafter\n{}",
                asked.parameters.path(ROUTE),
                told(&states)
            )
        })?;
    }
    Ok(())
}

/// Without functions whose answers to one question may differ in the last bits.
fn exact(ask: &WideAsk) -> WideAsk {
    let kept = |functions: &[&'static str], instead: &[&'static str]| -> Vec<&'static str> {
        let exact: Vec<&str> = functions
            .iter()
            .filter(|f| !INEXACT.contains(f))
            .copied()
            .collect();
        if exact.is_empty() {
            instead.to_vec()
        } else {
            exact
        }
    };
    let over = if ask.over.is_empty() {
        Vec::new()
    } else {
        kept(&ask.over, &["median"])
    };
    let mut exact = WideAsk {
        functions: kept(&ask.functions, &["count", "max"]),
        over,
        ..ask.clone()
    };
    if !is_of_text(&exact) {
        exact.base.series = Series::Listed("num*");
    }
    exact
}

fn is_of_text(ask: &WideAsk) -> bool {
    ask.functions
        .iter()
        .chain(&ask.over)
        .all(|f| OF_TEXT.contains(f))
}

async fn each(world: &World, ask: &WideAsk, parameters: &Parameters) -> Outcome {
    let columns = Columns {
        functions: &ask.functions,
        over: &ask.over,
    };
    let nested = columns.of_nested(&json(world, parameters).await?, &world.catalogue)?;
    let flat = parameters.with("shape", "flat");
    same(
        "flat",
        &nested,
        &columns.of_flat(&json(world, &flat).await?)?,
    )?;
    let rows = lines(world, &parameters.with("format", "ndjson")).await?;
    same(
        "ndjson",
        &nested,
        &columns.of_nested(&rows, &world.catalogue)?,
    )?;
    same(
        "flat ndjson",
        &nested,
        &columns.of_flat(&lines(world, &flat.with("format", "ndjson")).await?)?,
    )?;
    let objects = json(world, &parameters.with("layout", "columns")).await?;
    same_places("columns", &nested, &columns.of_columns(&objects)?)?;

    if is_of_text(ask) {
        return Ok(()); // how CSV spells values that are no numbers is not said
    }
    same(
        "csv",
        &nested,
        &columns.of_csv(&csv(world, parameters).await?)?,
    )
}

async fn json(world: &World, parameters: &Parameters) -> Outcome<Vec<Box<RawValue>>> {
    let path = parameters.path(ROUTE);
    let answer = world.app.get(&path).await;
    let body: Body = serde_json::from_str(&answer.text)
        .map_err(|e| format!("GET {path}: {e}: {}", answer.text))?;
    if body.metadata["count"] == body.results.len() {
        return Ok(body.results);
    }
    Err(format!(
        "GET {path}: count is {} of {}",
        body.metadata["count"],
        body.results.len()
    ))
}

/// The rows of NDJSON, whose last line says how many they are.
async fn lines(world: &World, parameters: &Parameters) -> Outcome<Vec<Box<RawValue>>> {
    let path = parameters.path(ROUTE);
    let answer = world.app.get(&path).await;
    let mut rows = read_lines(&answer.text).map_err(|e| format!("GET {path}: {e}"))?;
    let end = rows.pop().ok_or("no line")?;
    let end: serde_json::Value = serde_json::from_str(end.get()).map_err(|e| e.to_string())?;
    if end["end"] == true && end["count"] == rows.len() {
        Ok(rows)
    } else {
        Err(format!("GET {path}: ends with {end}"))
    }
}

pub(crate) fn read_lines(text: &str) -> Outcome<Vec<Box<RawValue>>> {
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(|e| format!("{e}: {line}")))
        .collect()
}

/// By name and by `Accept`, which must come to the same.
async fn csv(world: &World, parameters: &Parameters) -> Outcome<String> {
    let path = parameters.path(ROUTE);
    let accepted = world
        .app
        .request(reqwest::Method::GET, &path, None, &[("accept", "text/csv")])
        .await;
    let named = world
        .app
        .get(&parameters.with("format", "csv").path(ROUTE))
        .await;
    let kind = named
        .headers
        .get("content-type")
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    if !kind.starts_with("text/csv") {
        return Err(format!("GET {path} as CSV: {kind} {}", named.text));
    }
    if accepted.text == named.text {
        Ok(named.text)
    } else {
        Err(format!("GET {path}: by Accept another CSV"))
    }
}

/// The same cells, in the same order of rows; in which order the leaves of a row come is not said.
fn same(what: &str, nested: &Flat, other: &Flat) -> Outcome {
    let rows = |flat: &Flat| {
        let mut rows: Vec<Place> = flat
            .iter()
            .map(|(place, _)| place.iter().filter(|p| p.0 != "leaf").cloned().collect())
            .collect();
        rows.dedup();
        rows
    };
    same_places(what, nested, other)?;
    if rows(nested) == rows(other) {
        Ok(())
    } else {
        Err(format!("{what}: rows are in another order"))
    }
}

fn same_places(what: &str, nested: &Flat, other: &Flat) -> Outcome {
    let sorted = |flat: &Flat| {
        let told = |(place, said): &_| -> (Place, _) {
            let mut place: Place = Clone::clone(place);
            place.sort();
            (place, Clone::clone(said))
        };
        let mut cells: Vec<_> = flat.iter().map(told).collect();
        cells.sort();
        cells
    };
    let (nested, other): (Flat, Flat) = (sorted(nested), sorted(other));
    if nested == other {
        return Ok(());
    }
    let missing = nested.iter().find(|cell| !other.contains(cell));
    let surplus = other.iter().find(|cell| !nested.contains(cell));
    Err(format!(
        "{what}: {missing:?} is missing, {surplus:?} is too much"
    ))
}
