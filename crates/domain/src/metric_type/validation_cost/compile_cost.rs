//! The cost of compiling a schema.

use std::collections::HashSet;

use super::choice::Choice;
use super::graph::{Graph, ROOT};

/// Maximum nesting of subschemas while `unevaluatedProperties` is compiled.
const MAX_COMPILE_NESTING: usize = 200;

impl Graph<'_> {
    /// Returns whether compiling the schema takes at most `limit` steps.
    ///
    /// `unevaluatedProperties` and `unevaluatedItems` compile all adjacent subschemas again,
    /// through references and once per path, so that nesting multiplies the work.
    pub(super) fn compiles_within(&self, limit: usize) -> bool {
        if !self.nodes.iter().any(|node| node.is_unevaluated) {
            return true;
        }
        let mut walk = CompileWalk {
            graph: self,
            remaining: limit,
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

/// Simulates the compiler. Methods return false once the limit of steps is exceeded.
struct CompileWalk<'a> {
    graph: &'a Graph<'a>,
    remaining: usize,
    /// Targets of references that are compiled, which happens once per target.
    compiled: HashSet<usize>,
    /// Targets that are not yet compiled.
    targets: Vec<usize>,
    /// Targets of the references that are being followed.
    open: Vec<usize>,
}

impl CompileWalk<'_> {
    fn step(&mut self, nesting: usize) -> bool {
        self.remaining = self.remaining.saturating_sub(1);
        self.remaining > 0 && nesting < MAX_COMPILE_NESTING
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

    /// Compiles the code that determines the evaluated properties or items of a subschema.
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
            let is_within_limit = self.compile_evaluated(*target, nesting + 1);
            self.open.pop();
            if !is_within_limit {
                return false;
            }
        }
        true
    }
}
