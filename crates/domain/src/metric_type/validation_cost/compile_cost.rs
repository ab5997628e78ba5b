//! The work of compiling a schema.

use std::collections::HashSet;

use super::branches::Choice;
use super::graph::{Graph, ROOT};

/// Deepest nesting of subschemas while `unevaluatedProperties` is compiled.
const MAX_NESTING: usize = 200;

impl Graph<'_> {
    /// Whether compiling the schema takes at most `limit` steps.
    ///
    /// `unevaluatedProperties` and `unevaluatedItems` compile every subschema beside them once more, through references
    /// and once per path, so nesting them multiplies the work.
    pub(super) fn compiles_within(&self, limit: usize) -> bool {
        if !self.nodes.iter().any(|node| node.is_unevaluated) {
            return true;
        }
        let mut walk = Walk {
            graph: self,
            left: limit,
            compiled: HashSet::new(),
            targets: vec![ROOT],
            open: Vec::new(),
        };
        while let Some(target) = walk.targets.pop() {
            if walk.compiled.insert(target) && !walk.compile(target, 0) {
                return false;
            }
        }
        true
    }
}

/// A walk that takes the steps of the compiler; `false` once it takes too many.
struct Walk<'a> {
    graph: &'a Graph<'a>,
    left: usize,
    /// Targets of references are compiled once.
    compiled: HashSet<usize>,
    targets: Vec<usize>,
    /// References that are being followed.
    open: Vec<usize>,
}

impl Walk<'_> {
    fn step(&mut self, nesting: usize) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0 && nesting < MAX_NESTING
    }

    fn compile(&mut self, number: usize, nesting: usize) -> bool {
        let node = &self.graph.nodes[number];
        self.targets.extend(node.references.iter().flatten());
        let branches = node.choices.iter().flat_map(Choice::branches);
        let children: Vec<usize> = node
            .in_place
            .iter()
            .chain(branches)
            .copied()
            .chain(node.parts())
            .collect();
        self.step(nesting)
            && children
                .into_iter()
                .all(|child| self.compile(child, nesting + 1))
            && (!node.is_unevaluated || self.compile_evaluated(number, nesting + 1))
    }

    /// Compiles what tells which properties or items a subschema evaluates.
    fn compile_evaluated(&mut self, number: usize, nesting: usize) -> bool {
        let node = &self.graph.nodes[number];
        let branches = node.choices.iter().flat_map(Choice::branches);
        let children: Vec<usize> = node.in_place.iter().chain(branches).copied().collect();
        let parts: Vec<usize> = node.every.iter().chain(&node.elements).copied().collect();
        if !self.step(nesting)
            || !parts
                .into_iter()
                .all(|part| self.compile(part, nesting + 1))
            || !children.into_iter().all(|child| {
                self.compile(child, nesting + 1) && self.compile_evaluated(child, nesting + 1)
            })
        {
            return false;
        }
        for target in node.references.iter().flatten() {
            if self.open.contains(target) {
                continue;
            }
            self.open.push(*target);
            let is_within = self.compile_evaluated(*target, nesting + 1);
            self.open.pop();
            if !is_within {
                return false;
            }
        }
        true
    }
}
