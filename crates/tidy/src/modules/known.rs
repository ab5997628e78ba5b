//! The list of known cycles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anyhow::Context;
use serde::Deserialize;

use super::graph::Cycles;

const HEADER: &str = "\
# Known cycles of each crate: among its top-level modules, and among its files.
# `cargo xtask tidy` fails on a cycle that is not part of one in this list, and on one in this list
# that no longer exists or became smaller. `cargo xtask tidy --accept-cycles` writes the list.
";

/// The cycles of the crates that have any.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KnownCycles {
    crates: BTreeMap<String, Cycles>,
}

/// The cycles of a crate in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    modules: Vec<Vec<String>>,
    #[serde(default)]
    files: Vec<Vec<String>>,
}

impl KnownCycles {
    pub(super) fn new(crates: impl IntoIterator<Item = (String, Cycles)>) -> Self {
        let has_cycles = |(_, cycles): &(String, Cycles)| {
            !(cycles.modules.is_empty() && cycles.files.is_empty())
        };
        Self {
            crates: crates.into_iter().filter(has_cycles).collect(),
        }
    }

    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let entries: BTreeMap<String, Entry> =
            toml::from_str(text).context("the list of known cycles is invalid")?;
        Ok(Self::new(entries.into_iter().map(|(name, entry)| {
            let cycles = Cycles {
                modules: entry.modules.into_iter().map(sorted).collect(),
                files: entry.files.into_iter().map(sorted).collect(),
            };
            (name, cycles)
        })))
    }

    /// Returns the list as TOML.
    pub(super) fn render(&self) -> String {
        let mut text = HEADER.to_owned();
        for (name, cycles) in &self.crates {
            // Writing to a string never fails.
            writeln!(text, "\n[{name}]").ok();
            render_list(&mut text, "modules", &cycles.modules);
            render_list(&mut text, "files", &cycles.files);
        }
        text
    }

    /// Returns every difference between the known cycles and the present ones.
    pub(super) fn violations(&self, present: &Self) -> Vec<String> {
        let none = Cycles::default();
        let names: BTreeSet<&String> = self.crates.keys().chain(present.crates.keys()).collect();
        let mut violations = Vec::new();
        for name in names {
            let known = self.crates.get(name).unwrap_or(&none);
            let present = present.crates.get(name).unwrap_or(&none);
            for (kind, known, present) in [
                ("modules", &known.modules, &present.modules),
                ("files", &known.files, &present.files),
            ] {
                violations.extend(
                    differences(known, present)
                        .into_iter()
                        .map(|difference| format!("{name}, {kind}: {difference}")),
                );
            }
        }
        violations
    }
}

/// Compares the cycles of one kind. A present cycle that is a part of a known one is not new.
fn differences(known: &BTreeSet<Vec<String>>, present: &BTreeSet<Vec<String>>) -> Vec<String> {
    let is_new = |cycle: &&Vec<String>| !known.iter().any(|known| contains(known, cycle));
    let new = present
        .iter()
        .filter(is_new)
        .map(|cycle| format!("new cycle of {}", cycle.join(", ")));
    let gone = known
        .difference(present)
        .map(|cycle| format!("no longer a cycle of exactly {}", cycle.join(", ")));
    new.chain(gone).collect()
}

fn contains(known: &[String], cycle: &[String]) -> bool {
    cycle.iter().all(|node| known.contains(node))
}

fn sorted(mut cycle: Vec<String>) -> Vec<String> {
    cycle.sort();
    cycle
}

fn render_list(text: &mut String, key: &str, cycles: &BTreeSet<Vec<String>>) {
    if cycles.is_empty() {
        return;
    }
    writeln!(text, "{key} = [").ok();
    for cycle in cycles {
        text.push_str("    [\n");
        for node in cycle {
            writeln!(text, "        \"{node}\",").ok();
        }
        text.push_str("    ],\n");
    }
    text.push_str("]\n");
}
