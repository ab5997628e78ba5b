//! The graph of modules and files of each crate, and its cycles.
//!
//! # Arrows
//! An arrow leads from the module that names an item to the module that defines it. The analysis
//! reads `use` declarations and paths in code, types, patterns and macro arguments:
//!
//! * A re-export (`pub use`, with any visibility) is not an arrow. A path through a re-export leads
//!   to the file that defines the item, not to the file that re-exports it. Hence a `mod.rs` that
//!   only declares and re-exports its children has no arrows, and a child may name a sibling
//!   through `super::`.
//! * A declaration (`mod child;`) is not an arrow, nor is the import of a module; a path into the
//!   imported module is one.
//! * A child that names an item defined in its parent's `mod.rs`, while the parent's code names the
//!   child, is a cycle of files. The remedy is a file of its own for the item or for the code.
//! * Test code (`#[cfg(test)]`), doc comments, attributes and visibilities are not read.
//!
//! Not seen are methods that a file calls without naming a type of another file, names that a
//! macro generates, and imports of a glob by themselves (names that come from it are resolved).
//!
//! # Cycles
//! A cycle is a strongly connected component with at least two nodes, once among the top-level
//! modules of a crate (with the root file as a node) and once among its files. The check fails on a
//! cycle that is not part of one in `known_cycles.toml`, and on a known cycle that no longer exists
//! or became smaller, so that the list only shrinks. `cargo xtask tidy --accept-cycles` writes it.

mod cycles;
mod graph;
mod known;
mod names;
mod paths;
mod report;
mod tree;

#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Context, ensure};
use time_series_devkit::cargo::root;
use time_series_devkit::progress::say;

use self::graph::Graph;
use self::known::KnownCycles;
use crate::metadata::{Package, packages};

/// The list of known cycles, relative to the workspace.
const KNOWN_CYCLES: &str = "crates/tidy/known_cycles.toml";

/// Fails on new cycles and on known cycles that no longer exist.
pub(crate) fn check() -> anyhow::Result<()> {
    let path = root().join(KNOWN_CYCLES);
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {KNOWN_CYCLES}"))?;
    let known = KnownCycles::parse(&text)?;
    let present = present(&graphs()?);
    let violations = known.violations(&present);
    ensure!(
        violations.is_empty(),
        "module cycles differ from {KNOWN_CYCLES} (rewritten by \
         `cargo xtask tidy --accept-cycles`):\n{}",
        violations.join("\n")
    );
    Ok(())
}

/// Prints the arrows and the cycles of every crate.
pub(crate) fn print() -> anyhow::Result<()> {
    for (name, graph) in graphs()? {
        say(report::report(&name, &graph));
    }
    Ok(())
}

/// Writes the present cycles to the list of known ones.
pub(crate) fn accept() -> anyhow::Result<()> {
    let present = present(&graphs()?);
    std::fs::write(root().join(KNOWN_CYCLES), present.render())
        .with_context(|| format!("cannot write {KNOWN_CYCLES}"))?;
    say(format!("wrote {KNOWN_CYCLES}"));
    Ok(())
}

/// Returns the graph of every crate, by name.
fn graphs() -> anyhow::Result<Vec<(String, Graph)>> {
    let mut graphs: Vec<(String, Graph)> = packages()?
        .iter()
        .map(|package| Ok((package.name.clone(), graph(package)?)))
        .collect::<anyhow::Result<_>>()?;
    graphs.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(graphs)
}

fn graph(package: &Package) -> anyhow::Result<Graph> {
    let folder = package.folder();
    let mut graph = Graph::default();
    for path in package.roots() {
        let path = path.strip_prefix(folder).unwrap_or(path);
        graph.add_target(path, &|file: &Path| {
            std::fs::read_to_string(folder.join(file)).ok()
        })?;
    }
    Ok(graph)
}

fn present(graphs: &[(String, Graph)]) -> KnownCycles {
    KnownCycles::new(
        graphs
            .iter()
            .map(|(name, graph)| (name.clone(), graph.cycles())),
    )
}
