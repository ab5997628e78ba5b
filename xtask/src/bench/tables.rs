//! The tables of docs/BENCHMARKS.md.

use std::fmt::Write;

use anyhow::Context;
use clap::ValueEnum;

use super::Part;
use super::figure::Figure;
use crate::cargo::root;

const FILE: &str = "docs/BENCHMARKS.md";

/// Puts the figures of a part between its marks.
pub(super) fn write(part: Part, circumstances: &str, figures: &[Figure]) -> anyhow::Result<()> {
    let path = root().join(FILE);
    let text = std::fs::read_to_string(&path)?;
    let value = part.to_possible_value().context("every part has a name")?;
    let (begin, end) = (
        format!("<!-- bench {} -->\n", value.get_name()),
        "<!-- end -->",
    );
    let (before, rest) = text
        .split_once(&begin)
        .with_context(|| format!("{FILE} has no line {begin}"))?;
    let (_, after) = rest
        .split_once(end)
        .with_context(|| format!("{FILE} has no line {end} behind {begin}"))?;
    std::fs::write(
        path,
        format!(
            "{before}{begin}{}{end}{after}",
            table(circumstances, figures)
        ),
    )?;
    Ok(())
}

fn table(circumstances: &str, figures: &[Figure]) -> String {
    let mut text = format!(
        "{circumstances}.\n\n| figure | target | p50 [p10–p90] | beside it | reached |\n| --- | --- | --- | --- | --- |\n"
    );
    for figure in figures {
        let unit = figure.unit;
        let measured = match &figure.measured {
            Ok(m) if m.repeats > 1 => {
                format!(
                    "{} [{}–{}] {}",
                    unit.number(m.p50),
                    unit.number(m.p10),
                    unit.number(m.p90),
                    unit.name()
                )
            }
            Ok(m) => format!("{} {}", unit.number(m.p50), unit.name()),
            Err(obstacle) => obstacle.short.clone(),
        };
        let ratio = figure
            .ratio()
            .map_or_else(String::new, |ratio| format!(", ratio {ratio:.2}"));
        let sql = figure
            .sql
            .as_ref()
            .map(|sql| format!("the database alone {}{ratio}", unit.number(sql.p50)));
        let others = figure
            .beside
            .iter()
            .map(|b| format!("{} {}", b.name, unit.number(b.measured.p50)));
        let beside: Vec<String> = sql
            .into_iter()
            .chain(others)
            .chain(figure.remarks.iter().cloned())
            .collect();
        let goals = [
            figure
                .goal_of_sql
                .map(|part| format!("{part} of the database")),
            figure.goal_of_peers.map(|part| format!("{part} × peers")),
        ];
        let goals: Vec<String> = std::iter::once(figure.goal.words(unit))
            .chain(goals.into_iter().flatten())
            .filter(|g| !g.is_empty())
            .collect();
        let reached = match figure.reached() {
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
            goals.join(", "),
            beside.join("; ")
        )
        .ok();
    }
    text
}
