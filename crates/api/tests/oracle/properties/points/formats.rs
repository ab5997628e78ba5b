//! Points have the same content in JSON, NDJSON, flat rows and CSV.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use time_series_testkit::Backend;
use uuid::Uuid;

use crate::compare::body::{Body, Lines};
use crate::compare::csv::parse_csv;
use crate::compare::points::{ReturnedPoint, expect_points, parse_utc};
use crate::fixture::Fixture;
use crate::fixture::json::Json;
use crate::fixture::metric_type::leaf_name;
use crate::generate::case::single_user_case;
use crate::query::points_query::PointsQuery;
use crate::query::points_spec::{PointsSpec, points_spec};
use crate::runner::Outcome;
use crate::runner::for_all::for_all;
use crate::runner::points::check_points;

const CSV_COLUMNS: [&str; 6] = ["time", "series", "session_id", "leaf", "value", "text"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_have_the_same_content_in_every_format() {
    for backend in Backend::ALL {
        let fixture = Fixture::start(backend).await;
        let cases = single_user_case(7, 4, |_| points_spec());
        for_all("lines", 30, &cases, async |case| {
            check_points(&fixture, &case, formats_agree).await
        });
    }
}

async fn formats_agree(fixture: &Fixture, query: &PointsQuery<'_>, _: &PointsSpec) -> Outcome {
    let ndjson = query.parameters.with("format", "ndjson").path(&query.route);
    let answer = fixture.app.get(&ndjson).await;
    expect_ndjson(query, &answer.text).map_err(|e| format!("NDJSON: {e}"))?;

    let flat = query
        .parameters
        .with("shape", "flat")
        .with("limit", "100000");
    let body: Body<FlatPoint> = Body::get(fixture, &flat.path(&query.route)).await?;
    expect_flat_points(fixture, query, body.results).map_err(|e| format!("flat JSON: {e}"))?;

    let csv = query.parameters.with("format", "csv").path(&query.route);
    let answer = fixture.app.get(&csv).await;
    read_csv(&answer.text)
        .and_then(|rows| expect_flat_points(fixture, query, rows))
        .map_err(|e| format!("CSV: {e}"))
}

fn expect_ndjson(query: &PointsQuery<'_>, text: &str) -> Outcome {
    let lines = Lines::parse(text)?;
    let points: Vec<ReturnedPoint> = lines
        .rows
        .iter()
        .map(|row| serde_json::from_str(row.get()).map_err(|e| format!("{e}: {row}")))
        .collect::<Outcome<_>>()?;
    expect_points(&points, &query.points)?;
    if lines.end["next_cursor"].is_null() {
        Ok(())
    } else {
        Err(format!("the last line has a cursor: {}", lines.end))
    }
}

/// A flat row: a number of a leaf, or a value as text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlatPoint {
    time: String,
    series: String,
    session_id: Uuid,
    leaf: Option<String>,
    value: Option<Box<RawValue>>,
    text: Option<String>,
}

fn read_csv(text: &str) -> Outcome<Vec<FlatPoint>> {
    let mut lines = parse_csv(text);
    let end = lines.pop().ok_or("no line")?;
    let (header, rows) = lines.split_first().ok_or("no header")?;
    if *header != CSV_COLUMNS {
        return Err(format!("the header is {header:?}"));
    }
    if end != [format!("# end of {} rows", rows.len())] {
        return Err(format!("{} rows end with {end:?}", rows.len()));
    }
    rows.iter().map(|row| read_csv_row(row)).collect()
}

fn read_csv_row(row: &[String]) -> Outcome<FlatPoint> {
    let [time, series, session, leaf, value, text] = row else {
        return Err(format!("{row:?} does not have the columns of the header"));
    };
    let non_empty = |text: &String| (!text.is_empty()).then(|| text.clone());
    Ok(FlatPoint {
        time: time.clone(),
        series: series.clone(),
        session_id: session.parse().map_err(|e| format!("{session}: {e}"))?,
        leaf: non_empty(leaf),
        value: non_empty(value)
            .map(|number| RawValue::from_string(number).map_err(|e| e.to_string()))
            .transpose()?,
        text: non_empty(text),
    })
}

/// The location of a flat row.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FlatKey {
    time: i64,
    series: String,
    session: Uuid,
    leaf: Option<String>,
}

/// Checks that each number and each text is returned exactly once, and the order of the rows. The
/// contract does not define the text of numeric series.
fn expect_flat_points(fixture: &Fixture, query: &PointsQuery<'_>, rows: Vec<FlatPoint>) -> Outcome {
    // The number of returned rows, less the number of expected ones.
    let mut surplus: BTreeMap<(FlatKey, Json), i64> = BTreeMap::new();
    let mut order = Vec::new();
    for row in rows {
        let time = parse_utc(&row.time).ok_or_else(|| format!("{} is not in UTC", row.time))?;
        order.push((time, row.series.clone(), row.session_id));
        let (_, metric_type) = fixture
            .find(&row.series)
            .ok_or("a row has an unknown series")?;
        let value = match (&row.leaf, &row.value, &row.text) {
            (Some(_), Some(number), None) => as_double(&Json::parse(number.get())),
            (None, None, Some(_)) if metric_type.is_numeric() => continue,
            (None, None, Some(text)) => Json::parse(text).canonical(),
            (leaf, value, text) => {
                return Err(format!("leaf {leaf:?}, value {value:?}, text {text:?}"));
            }
        };
        let key = FlatKey {
            time,
            series: row.series,
            session: row.session_id,
            leaf: row.leaf,
        };
        *surplus.entry((key, value)).or_default() += 1;
    }
    if !order.is_sorted() {
        return Err("rows are not in order".to_owned());
    }
    for point in &query.points {
        let key = |leaf: Option<String>| FlatKey {
            time: point.time,
            series: point.series().to_owned(),
            session: point.session,
            leaf,
        };
        for path in &point.metric_type.leaves {
            if let Some(number) = point.value.leaf(path) {
                let value = as_double(&Json::Number(format!("{number:?}")));
                let key = key(Some(leaf_name(path)));
                *surplus.entry((key, value)).or_default() -= 1;
            }
        }
        if !point.metric_type.is_numeric() {
            let value = point.value.canonical();
            *surplus.entry((key(None), value)).or_default() -= 1;
        }
    }
    match surplus.into_iter().find(|(_, n)| *n != 0) {
        Some((value, n)) => Err(format!("returned {n} more times than expected: {value:?}")),
        None => Ok(()),
    }
}

/// Rounds a number to the nearest `f64`, without the sign of a zero.
fn as_double(number: &Json) -> Json {
    match number {
        Json::Number(text) => {
            let double = text.parse::<f64>().unwrap_or(f64::NAN) + 0.0;
            Json::Number(format!("{double:?}"))
        }
        other => other.clone(),
    }
}
