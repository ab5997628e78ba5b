//! The report: a table for people, JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Bench;
use super::figure::Figure;
use super::ground::Setting;

const HEAD: [&str; 6] = [
    "figure",
    "target",
    "measured p50 [p10–p90]",
    "SQL p50",
    "ratio",
    "reached",
];

pub(super) fn table(bench: &Bench, setting: &Setting, figures: &[Figure]) -> String {
    let lines: Vec<[String; 6]> = figures.iter().map(|figure| line(bench, figure)).collect();
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells
            .chain([HEAD[column].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = format!("\n{}\n\n", circumstances(bench, setting));
    for cells in std::iter::once(&HEAD.map(str::to_owned)).chain(&lines) {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        writeln!(text, "{}", padded.join("  ").trim_end()).ok();
    }
    for figure in figures {
        let problem = figure
            .measured
            .as_ref()
            .err()
            .map(|o| &o.long)
            .filter(|long| !long.is_empty());
        for remark in problem.into_iter().chain(&figure.remarks) {
            writeln!(text, "{}: {remark}", figure.number).ok();
        }
        for beside in &figure.beside {
            let (unit, of_it) = (figure.unit, &beside.measured);
            writeln!(
                text,
                "{}: {}: {} {}",
                figure.number,
                beside.name,
                unit.number(of_it.p50),
                unit.name()
            )
            .ok();
        }
    }
    text
}

fn line(bench: &Bench, figure: &Figure) -> [String; 6] {
    let unit = figure.unit;
    let mut of_others = figure
        .goal_of_sql
        .map_or_else(String::new, |most| format!(", {most} of SQL"));
    if let Some(part) = figure.goal_of_peers {
        write!(of_others, ", {part} × every peer").ok();
    }
    let measured = match &figure.measured {
        Ok(m) => format!(
            "{} [{}–{}] {}",
            unit.number(m.p50),
            unit.number(m.p10),
            unit.number(m.p90),
            unit.name()
        ),
        Err(obstacle) => obstacle.short.clone(),
    };
    let reached = match (figure.reached(), is_judged(bench)) {
        (_, false) | (None, _) => "?",
        (Some(true), true) => "yes",
        (Some(false), true) => "no",
    };
    [
        format!("{} {}", figure.number, figure.name),
        format!("{}{of_others}", figure.goal.words(unit)),
        measured,
        figure.sql.as_ref().map_or_else(String::new, |sql| {
            format!("{} {}", unit.number(sql.p50), unit.name())
        }),
        figure
            .ratio()
            .map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        reached.to_owned(),
    ]
}

pub(super) fn circumstances(bench: &Bench, setting: &Setting) -> String {
    let Setting { cores, database } = setting;
    let database = database
        .as_deref()
        .unwrap_or("a database that was not told");
    let cache = if bench.url.is_some() {
        "cache as the service has it"
    } else {
        "cache off"
    };
    let scale = if is_judged(bench) {
        String::new()
    } else {
        format!("; data × {}, targets not judged", bench.scale)
    };
    let repeat = bench.repeat;
    format!(
        "Over HTTP, {repeat} times each at most, {cores} core(s) for everything, {database}, {cache}{scale}"
    )
}

/// The targets are for all of the data.
fn is_judged(bench: &Bench) -> bool {
    bench.scale >= 1.0
}

pub(super) fn json(bench: &Bench, setting: &Setting, figures: &[Figure]) -> Value {
    let figures: Vec<Value> = figures
        .iter()
        .map(|figure| {
            let mut json = figure.json();
            json["reached"] = json!(figure.reached().filter(|_| is_judged(bench)));
            json
        })
        .collect();
    json!({
        "cores": setting.cores,
        "database": setting.database,
        "own_service": bench.url.is_none(),
        "repeat": bench.repeat,
        "scale": bench.scale,
        "figures": figures,
    })
}
