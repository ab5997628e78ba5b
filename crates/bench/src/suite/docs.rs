//! Updates the tables of docs/BENCHMARKS.md.

use std::fmt::Write;

use anyhow::Context;
use clap::ValueEnum;
use time_series_devkit::cargo::root;

use super::figure::{Figure, Unit};
use super::options::Part;
use super::statistics::Statistics;

const FILE: &str = "docs/BENCHMARKS.md";
const HEAD: &str = "| figure | target | p50 [p10–p90] | comparison | reached |\n\
                    | --- | --- | --- | --- | --- |\n";

/// Replaces the table of a part, which is between two markers.
pub(super) fn write(part: Part, conditions: &str, figures: &[Figure]) -> anyhow::Result<()> {
    let path = root().join(FILE);
    let text = std::fs::read_to_string(&path)?;
    let value = part.to_possible_value().context("a part without a name")?;
    let begin = format!("<!-- bench {} -->\n", value.get_name());
    let end = "<!-- end -->";
    let (before, rest) = text
        .split_once(&begin)
        .with_context(|| format!("{FILE} has no line {begin}"))?;
    let (_, after) = rest
        .split_once(end)
        .with_context(|| format!("{FILE} has no line {end} after {begin}"))?;
    let table = table(conditions, figures);
    std::fs::write(path, format!("{before}{begin}{table}{end}{after}"))?;
    Ok(())
}

fn table(conditions: &str, figures: &[Figure]) -> String {
    let mut text = format!("{conditions}.\n\n{HEAD}");
    for figure in figures {
        let measured = match &figure.measured {
            Ok(measured) => measurement(figure.unit, measured),
            Err(failure) => failure.summary.clone(),
        };
        let reached = match figure.is_reached() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        };
        // Writing to a string never fails.
        writeln!(
            text,
            "| {} {} | {} | {measured} | {} | {reached} |",
            figure.number,
            figure.name,
            goals(figure),
            comparisons(figure)
        )
        .ok();
    }
    text
}

fn measurement(unit: Unit, measured: &Statistics) -> String {
    let p50 = unit.number(measured.p50);
    if measured.repeats == 1 {
        return format!("{p50} {}", unit.name());
    }
    format!(
        "{p50} [{}–{}] {}",
        unit.number(measured.p10),
        unit.number(measured.p90),
        unit.name()
    )
}

fn goals(figure: &Figure) -> String {
    let goals = [
        Some(figure.goal.text(figure.unit)).filter(|goal| !goal.is_empty()),
        figure
            .goal_of_sql
            .map(|ratio| format!("{ratio} × the database")),
        figure.goal_of_peers.map(|ratio| format!("{ratio} × peers")),
    ];
    goals.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn comparisons(figure: &Figure) -> String {
    let unit = figure.unit;
    let ratio = figure
        .ratio()
        .map_or_else(String::new, |ratio| format!(", ratio {ratio:.2}"));
    let sql = figure
        .sql
        .as_ref()
        .map(|sql| format!("the database alone {}{ratio}", unit.number(sql.p50)));
    let others = figure
        .comparisons
        .iter()
        .map(|other| format!("{} {}", other.name, unit.number(other.measured.p50)));
    let all: Vec<String> = sql
        .into_iter()
        .chain(others)
        .chain(figure.remarks.iter().cloned())
        .collect();
    all.join("; ")
}
