//! The report: a table for people, and JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::environment::Description;
use super::figure::Figure;
use super::options::Bench;

const HEAD: [&str; 6] = [
    "figure",
    "target",
    "measured p50 [p10–p90]",
    "SQL p50",
    "ratio",
    "reached",
];

/// Renders the conditions, the figures and their remarks.
pub(super) fn table(bench: &Bench, description: &Description, figures: &[Figure]) -> String {
    let rows: Vec<[String; 6]> = std::iter::once(HEAD.map(str::to_owned))
        .chain(figures.iter().map(|figure| row(bench, figure)))
        .collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    });
    // Writing to a string never fails.
    let mut text = format!("\n{}\n\n", conditions(bench, description));
    for row in &rows {
        let padded: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        writeln!(text, "{}", padded.join("  ").trim_end()).ok();
    }
    for figure in figures {
        for remark in remarks(figure) {
            writeln!(text, "{}: {remark}", figure.number).ok();
        }
    }
    text
}

fn row(bench: &Bench, figure: &Figure) -> [String; 6] {
    let unit = figure.unit;
    let mut target = figure.goal.text(unit);
    if let Some(ratio) = figure.goal_of_sql {
        write!(target, ", {ratio} × SQL").ok();
    }
    if let Some(ratio) = figure.goal_of_peers {
        write!(target, ", {ratio} × every peer").ok();
    }
    let measured = match &figure.measured {
        Ok(m) => format!(
            "{} [{}–{}] {}",
            unit.number(m.p50),
            unit.number(m.p10),
            unit.number(m.p90),
            unit.name()
        ),
        Err(failure) => failure.summary.clone(),
    };
    let sql = figure.sql.as_ref().map_or_else(String::new, |sql| {
        format!("{} {}", unit.number(sql.p50), unit.name())
    });
    let ratio = figure
        .ratio()
        .map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    let reached = match figure.is_reached().filter(|_| bench.judges()) {
        Some(true) => "yes",
        Some(false) => "no",
        None => "?",
    };
    [
        format!("{} {}", figure.number, figure.name),
        target,
        measured,
        sql,
        ratio,
        reached.to_owned(),
    ]
}

/// Returns the details of a failure, the remarks and the comparisons of a figure.
fn remarks(figure: &Figure) -> Vec<String> {
    let unit = figure.unit;
    let failure = figure.measured.as_ref().err();
    let detail = failure
        .map(|failure| failure.detail.clone())
        .filter(|detail| !detail.is_empty());
    let comparisons = figure.comparisons.iter().map(|other| {
        let number = unit.number(other.measured.p50);
        format!("{}: {number} {}", other.name, unit.name())
    });
    detail
        .into_iter()
        .chain(figure.remarks.iter().cloned())
        .chain(comparisons)
        .collect()
}

/// Describes the conditions of the measurement in one line.
pub(super) fn conditions(bench: &Bench, description: &Description) -> String {
    let Description { cores, database } = description;
    let database = database.as_deref().unwrap_or("an unknown database");
    let cache = if bench.url.is_some() {
        "cache as configured"
    } else {
        "cache off"
    };
    let scale = if bench.judges() {
        String::new()
    } else {
        format!("; data × {}, targets not judged", bench.scale)
    };
    let repeat = bench.repeat;
    format!(
        "Over HTTP, at most {repeat} measurements per figure, \
         {cores} core(s) for all processes, {database}, {cache}{scale}"
    )
}

/// Returns the figures and their conditions as JSON.
pub(super) fn json(bench: &Bench, description: &Description, figures: &[Figure]) -> Value {
    let figures: Vec<Value> = figures
        .iter()
        .map(|figure| {
            let mut json = figure.json();
            json["reached"] = json!(figure.is_reached().filter(|_| bench.judges()));
            json
        })
        .collect();
    json!({
        "cores": description.cores,
        "database": description.database,
        "own_service": bench.url.is_none(),
        "repeat": bench.repeat,
        "scale": bench.scale,
        "figures": figures,
    })
}
