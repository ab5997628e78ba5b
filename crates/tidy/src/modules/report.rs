//! Renders the graph of a crate as text.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::cycles::Arrows;
use super::graph::Graph;

/// Returns the arrows and the cycles of a crate.
pub(super) fn report(name: &str, graph: &Graph) -> String {
    let cycles = graph.cycles();
    let mut text = format!("{name}\n");
    add_section(&mut text, "modules", &graph.modules, &cycles.modules);
    add_section(&mut text, "files", &graph.files, &cycles.files);
    text
}

fn add_section(text: &mut String, kind: &str, arrows: &Arrows, cycles: &BTreeSet<Vec<String>>) {
    let count: usize = arrows.values().map(BTreeSet::len).sum();
    // Writing to a string never fails.
    writeln!(
        text,
        "  {kind}: {} nodes, {count} arrows, {} cycles",
        arrows.len(),
        cycles.len()
    )
    .ok();
    for (from, targets) in arrows.iter().filter(|(_, targets)| !targets.is_empty()) {
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        writeln!(text, "    {from} -> {}", targets.join(", ")).ok();
    }
    for cycle in cycles {
        writeln!(text, "    cycle of {}: {}", cycle.len(), cycle.join(", ")).ok();
    }
}
