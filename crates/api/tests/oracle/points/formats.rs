//! Points as lines and as flat rows.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::json::Json;
use crate::metrics::Metric;
use crate::play::{Outcome, World};
use crate::points::ask::{PointAsk, PointsAsked};
use crate::points::listing::{GotPoint, are, micros};
use crate::wide::flat::csv;
use crate::wide::model::leaf_name;

/// What a flat row is about: microseconds, series, session, leaf.
type Place = (i64, String, Uuid, Option<String>);

/// How often each place says what: a number, or a text.
type Said = BTreeMap<(Place, Json), i64>;

#[derive(Deserialize)]
struct FlatBody {
    metadata: serde_json::Value,
    results: Vec<FlatRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlatRow {
    time: String,
    series: String,
    session_id: Uuid,
    leaf: Option<String>,
    value: Option<Box<RawValue>>,
    text: Option<String>,
}

/// All that there is, in each format and shape.
pub(crate) async fn say_the_same(world: &World, asked: &PointsAsked<'_>, _: &PointAsk) -> Outcome {
    let lines = world
        .app
        .get(&asked.parameters.with("format", "ndjson").path(&asked.route))
        .await;
    let mut lines: Vec<&str> = lines.text.lines().collect();
    let end = lines.pop().ok_or("no line")?;
    let read =
        |line: &&str| serde_json::from_str::<GotPoint>(line).map_err(|e| format!("{e}: {line}"));
    are(
        &lines.iter().map(read).collect::<Outcome<Vec<_>>>()?,
        &asked.points,
    )
    .map_err(|e| format!("ndjson: {e}"))?;
    let end: serde_json::Value = serde_json::from_str(end).map_err(|e| e.to_string())?;
    if end["end"] != true || end["count"] != lines.len() || !end["next_cursor"].is_null() {
        return Err(format!("{} lines end with {end}", lines.len()));
    }

    let flat = asked
        .parameters
        .with("shape", "flat")
        .with("limit", "100000");
    let flat = world.app.get(&flat.path(&asked.route)).await;
    let body: FlatBody =
        serde_json::from_str(&flat.text).map_err(|e| format!("{e}: {}", flat.text))?;
    if body.metadata["count"] != body.results.len() {
        return Err(format!(
            "count is {} of {} flat rows",
            body.metadata["count"],
            body.results.len()
        ));
    }
    equal("flat", asked, &world.catalogue, body.results)?;

    let text = world
        .app
        .get(&asked.parameters.with("format", "csv").path(&asked.route))
        .await
        .text;
    let mut rows = csv(&text);
    let end = rows.pop().ok_or("no line")?;
    if rows
        .first()
        .is_none_or(|header| *header != ["time", "series", "session_id", "leaf", "value", "text"])
    {
        return Err(format!("the header is {:?}", rows.first()));
    }
    if end != [format!("# end of {} rows", rows.len() - 1)] {
        return Err(format!("{} rows of CSV end with {end:?}", rows.len() - 1));
    }
    let rows = rows[1..]
        .iter()
        .map(|row| of_csv(row))
        .collect::<Outcome<Vec<_>>>()?;
    equal("csv", asked, &world.catalogue, rows)
}

fn of_csv(row: &[String]) -> Outcome<FlatRow> {
    let [time, series, session, leaf, value, text] = row else {
        return Err(format!("a row of {row:?}"));
    };
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    Ok(FlatRow {
        time: time.clone(),
        series: series.clone(),
        session_id: session.parse().map_err(|e| format!("{session}: {e}"))?,
        leaf: some(leaf),
        value: some(value)
            .map(|number| RawValue::from_string(number).map_err(|e| e.to_string()))
            .transpose()?,
        text: some(text),
    })
}

/// Each number is there, and each text. What else of a value stands in `text` is not said to the letter.
fn equal(what: &str, asked: &PointsAsked<'_>, catalogue: &[Metric], rows: Vec<FlatRow>) -> Outcome {
    let metric = |series: &str| {
        catalogue
            .iter()
            .find(|m| m.series == series)
            .ok_or("a series of ours")
    };
    let mut surplus = Said::new();
    let mut order = Vec::new();
    for row in rows {
        let time = micros(&row.time).ok_or_else(|| format!("{} is no time", row.time))?;
        order.push((time, row.series.clone(), row.session_id));
        let says = match (&row.leaf, &row.value, &row.text) {
            (Some(_), Some(number), None) => as_double(&Json::read(number.get())),
            (None, None, Some(_)) if !metric(&row.series)?.leaves.is_empty() => continue,
            (None, None, Some(text)) => Json::read(text).normal(),
            _ => {
                return Err(format!(
                    "{what}: leaf {:?}, value {:?}, text {:?}",
                    row.leaf, row.value, row.text
                ));
            }
        };
        *surplus
            .entry(((time, row.series, row.session_id, row.leaf), says))
            .or_default() += 1;
    }
    if !order.is_sorted() {
        return Err(format!("{what}: rows are out of order"));
    }
    for point in &asked.points {
        let place =
            |leaf: Option<String>| (point.time, point.series.to_owned(), point.session, leaf);
        let leaves = &metric(point.series)?.leaves;
        for path in leaves {
            if let Some(number) = point.value.leaf(path) {
                let says = as_double(&Json::Number(format!("{number:?}")));
                *surplus
                    .entry((place(Some(leaf_name(path))), says))
                    .or_default() -= 1;
            }
        }
        if leaves.is_empty() {
            *surplus
                .entry((place(None), point.value.normal()))
                .or_default() -= 1;
        }
    }
    match surplus.into_iter().find(|(_, n)| *n != 0) {
        Some((place, n)) => Err(format!("{what}: {n} too many of {place:?}")),
        None => Ok(()),
    }
}

/// A number as the nearest double.
fn as_double(number: &Json) -> Json {
    match number {
        Json::Number(text) => Json::Number(format!(
            "{:?}",
            text.parse::<f64>().unwrap_or(f64::NAN) + 0.0
        )),
        other => other.clone(),
    }
}
