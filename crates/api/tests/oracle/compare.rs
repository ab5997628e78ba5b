//! An answer against what the model says.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::calendar::{Calendar, timestamp};
use crate::json::{Json, leaves};
use crate::model::{self, Cell};
use crate::play::Outcome;

/// An answer's rows.
#[derive(Deserialize)]
pub(crate) struct Body {
    pub(crate) metadata: serde_json::Value,
    pub(crate) results: Vec<ResultRow>,
}

#[derive(Deserialize)]
pub(crate) struct ResultRow {
    pub(crate) bucket: String,
    pub(crate) series: String,
    pub(crate) value: Box<RawValue>,
}

/// Whether an answer has the rows that it should have, in their order.
pub(crate) fn equal(
    wanted: &[model::Row],
    body: &Body,
    calendar: &Calendar,
    functions: &[&str],
) -> Outcome {
    let label = |at: i64| {
        let offset = jiff::tz::Offset::from_seconds(calendar.offset(at))
            .expect("an offset")
            .to_time_zone();
        timestamp(at)
            .to_zoned_datetime(offset)
            .strftime("%Y-%m-%dT%H:%M:%S%.f%:z")
            .to_string()
    };
    let rows: Vec<String> = wanted
        .iter()
        .map(|(series, bucket, _)| format!("{series} {}", label(*bucket)))
        .collect();
    let got: Vec<String> = body
        .results
        .iter()
        .map(|r| format!("{} {}", r.series, r.bucket.replace('Z', "+00:00")))
        .collect();
    if rows != got {
        let missing: Vec<_> = rows.iter().filter(|r| !got.contains(r)).take(5).collect();
        let surplus: Vec<_> = got.iter().filter(|r| !rows.contains(r)).take(5).collect();
        return Err(format!(
            "rows differ: {missing:?} are missing, {surplus:?} are too many, of {} and {}",
            rows.len(),
            got.len()
        ));
    }
    if body.metadata["count"] != rows.len() {
        return Err(format!(
            "count is {} for {} rows",
            body.metadata["count"],
            rows.len()
        ));
    }
    for (row, (wanted, got)) in rows.iter().zip(wanted.iter().zip(&body.results)) {
        cells_equal(&wanted.2, &got.value, functions)
            .map_err(|e| format!("{row}: {e}, in {}", got.value))?;
    }
    Ok(())
}

fn cells_equal(wanted: &[Cell], got: &RawValue, functions: &[&str]) -> Outcome {
    let mut by_function: BTreeMap<String, Box<RawValue>> = match functions {
        [only] => BTreeMap::from([((*only).to_owned(), got.to_owned())]),
        _ => serde_json::from_str(got.get()).map_err(|e| e.to_string())?,
    };
    for (function, wanted) in functions.iter().zip(wanted) {
        let got = by_function
            .remove(*function)
            .ok_or_else(|| format!("{function} is missing"))?;
        cell_equal(wanted, &got).map_err(|e| format!("{function}: {e}"))?;
    }
    by_function
        .keys()
        .next()
        .map_or(Ok(()), |other| Err(format!("{other} was not asked for")))
}

fn cell_equal(wanted: &Cell, got: &RawValue) -> Outcome {
    match wanted {
        Cell::Value(wanted) => {
            let value = |text: &str| {
                serde_json::from_str::<serde_json::Value>(text).map_err(|e| e.to_string())
            };
            let same = value(&Json::to_string(wanted))? == value(got.get())?;
            if same {
                Ok(())
            } else {
                Err(format!("{wanted} expected, {got} answered"))
            }
        }
        Cell::Leaves(wanted) => {
            let got = leaves(got);
            if !wanted.keys().eq(got.keys()) {
                return Err(format!(
                    "leaves {:?} expected, {:?} answered",
                    wanted.keys(),
                    got.keys()
                ));
            }
            let faults = wanted
                .iter()
                .zip(got.values())
                .filter_map(|((path, want), got)| {
                    Some(format!("{}: {}", path.join("."), model::fault(want, got)?))
                });
            faults.into_iter().next().map_or(Ok(()), Err)
        }
    }
}
