//! Upper bounds of the steps that the validator takes, known before it runs.
//!
//! The `jsonschema` crate has no limit of steps. A schema that applies two subschemas to the same part of a value may take
//! 2^n steps for a value of n levels, so its cost is computed when it is defined: for each number of levels below the root
//! of a value, the steps at one part of the value there. The cost of a value is the sum over its parts.

mod branches;
mod compile_cost;
mod graph;
mod pattern_size;
mod references;

use serde_json::Value;

use self::branches::KINDS;
use self::graph::{EXTERNAL, Graph, ROOT};
use crate::Json;
use crate::json::MAX_DEPTH;

/// Levels of a value, its root included.
const LEVELS: usize = MAX_DEPTH + 1;
/// Bytes of text that count as one unit.
const TEXT_UNIT: usize = 16;
/// Steps at the root of a value for a schema outside of the document, such as a meta-schema.
const EXTERNAL_STEPS: u64 = 100;
/// By how much those grow per level.
const EXTERNAL_GROWTH: u64 = 4;

/// Maximum number of patterns of a schema.
pub(super) const MAX_PATTERNS: usize = 64;
/// Maximum length of all patterns of a schema, in bytes.
pub(super) const MAX_PATTERN_BYTES: usize = 16 * 1024;
/// Maximum number of instructions of all patterns of a schema.
const MAX_PATTERN_INSTRUCTIONS: u64 = 20_000;
/// Maximum number of steps for a value without parts.
pub(super) const MAX_SCALAR_STEPS: u64 = 20_000;
/// Maximum number of steps for one value.
pub(super) const MAX_VALUE_STEPS: u64 = 2_000_000;
/// Maximum number of steps for the values of one session.
pub(super) const MAX_SESSION_STEPS: u64 = 250_000_000;
/// Maximum number of steps for a value whose every error is collected.
const MAX_ERROR_STEPS: u64 = 100_000;
/// Maximum number of subschemas inside each other, as applied to one value: each takes a part of the stack.
const MAX_NESTING: u64 = 600;
/// Maximum number of steps of compiling a schema.
const MAX_COMPILE_STEPS: usize = 50_000;
/// Levels of values that a schema must admit within [`MAX_VALUE_STEPS`].
const USUAL_LEVELS: usize = 5;

/// The cost of validating values, by the level of their parts.
#[derive(Debug)]
pub(super) struct ValidationCost {
    levels: Vec<Steps>,
    /// Whether an error holds the errors of branches.
    has_branches: bool,
}

/// The steps at one part of a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Steps {
    /// Per part.
    part: u64,
    /// Per unit of text.
    text: u64,
    /// Per part, where every error is collected.
    errors: u64,
    /// Subschemas inside each other, down to this level.
    nesting: u64,
}

/// The parts of a value, by level.
struct Extent {
    parts: [u64; LEVELS],
    text: [u64; LEVELS],
}

/// The estimated work of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Estimate {
    /// Steps to tell whether it is valid.
    pub(super) steps: u64,
    /// Whether every error may be collected.
    pub(super) lists_errors: bool,
    /// Levels of the value.
    pub(super) levels: usize,
    /// By how much the steps grow per level.
    pub(super) growth: u64,
}

/// Why a schema is too costly to be defined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// References lead back to where they started without entering a part of the value.
    #[error(
        "refers to itself without end: a $ref leads back to its own schema for the same value; put a property or an \
         element between them"
    )]
    Endless,
    /// The work multiplies within one value.
    #[error(
        "would take the validator more than {limit} steps for a value of {levels} levels; use fewer branches of anyOf, \
         oneOf, allOf and $ref inside each other"
    )]
    Steps {
        /// Maximum number of steps.
        limit: u64,
        /// Levels of the value, its root included.
        levels: usize,
    },
    /// Subschemas are too deep inside each other.
    #[error(
        "applies more than {MAX_NESTING} subschemas inside each other to one value; use shorter chains of $ref"
    )]
    Nesting,
    /// Compiling takes too long.
    #[error(
        "takes too long to compile; nest fewer unevaluatedProperties and unevaluatedItems inside each other"
    )]
    Compilation,
    /// Too many patterns, or too long ones.
    #[error(
        "has more than {MAX_PATTERNS} patterns, or patterns longer than {MAX_PATTERN_BYTES} bytes in all, or repetitions \
         such as {{1000}} that make them as long; use fewer and shorter ones"
    )]
    Patterns,
}

impl ValidationCost {
    /// The cost of the values of a stored schema.
    pub(super) fn of(document: &Value) -> Self {
        let mut graph = Graph::of(document);
        graph.sort_branches();
        Self::of_graph(&graph)
    }

    /// Refuses a schema that is too costly to be defined.
    ///
    /// # Errors
    /// [`CostError`] with the remedy.
    pub(super) fn check(document: &Value) -> Result<(), CostError> {
        let mut graph = Graph::of(document);
        check_patterns(&graph)?;
        if graph.order().is_none() {
            return Err(CostError::Endless);
        }
        if !graph.compiles_within(MAX_COMPILE_STEPS) {
            return Err(CostError::Compilation);
        }
        graph.sort_branches();
        let cost = Self::of_graph(&graph);
        if cost.levels[0].part > MAX_SCALAR_STEPS {
            return Err(CostError::Steps {
                limit: MAX_SCALAR_STEPS,
                levels: 1,
            });
        }
        let usual = cost.levels.iter().take(USUAL_LEVELS);
        if let Some(level) = usual.clone().position(|steps| steps.part > MAX_VALUE_STEPS) {
            return Err(CostError::Steps {
                limit: MAX_VALUE_STEPS,
                levels: level + 1,
            });
        }
        if usual.clone().any(|steps| steps.nesting > MAX_NESTING) {
            return Err(CostError::Nesting);
        }
        Ok(())
    }

    fn of_graph(graph: &Graph<'_>) -> Self {
        let has_branches = graph.nodes.iter().any(|node| !node.choices.is_empty());
        let Some(order) = graph.order() else {
            let endless = Steps {
                part: u64::MAX,
                text: u64::MAX,
                errors: u64::MAX,
                nesting: u64::MAX,
            };
            return Self {
                levels: vec![endless; LEVELS],
                has_branches,
            };
        };
        let nothing = vec![Vec::with_capacity(LEVELS); graph.nodes.len()];
        let mut known = Known {
            graph,
            valid: nothing.clone(),
            evaluated: nothing,
        };
        let is_evaluated = graph.nodes.iter().any(|node| node.is_unevaluated);
        for level in 0..LEVELS {
            for number in &order {
                if is_evaluated {
                    let evaluated = known.evaluated_at(*number, level);
                    known.evaluated[*number].push(evaluated);
                }
                let valid = known.valid_at(*number, level);
                known.valid[*number].push(valid);
            }
        }
        Self {
            levels: known.valid.swap_remove(ROOT),
            has_branches,
        }
    }

    /// Estimates the work of a value.
    pub(super) fn estimate(&self, value: &Json) -> Estimate {
        let mut extent = Extent {
            parts: [0; LEVELS],
            text: [0; LEVELS],
        };
        let levels = extent.add(value, 0, 0);
        let (mut steps, mut errors) = (0_u64, 0_u64);
        for (at, cost) in self.levels.iter().enumerate().take(levels) {
            let of_parts = cost.part.saturating_mul(extent.parts[at]);
            let of_text = cost.text.saturating_mul(extent.text[at]);
            steps = steps.saturating_add(of_parts).saturating_add(of_text);
            errors = errors
                .saturating_add(cost.errors.saturating_mul(extent.parts[at]))
                .saturating_add(of_text);
        }
        let used = &self.levels[..levels.clamp(1, LEVELS)];
        if used.iter().any(|cost| cost.nesting > MAX_NESTING) {
            steps = u64::MAX;
        }
        let growth = used
            .windows(2)
            .map(|pair| pair[1].part / pair[0].part.max(1))
            .max()
            .unwrap_or(1);
        Estimate {
            steps,
            lists_errors: errors <= MAX_ERROR_STEPS,
            levels,
            growth,
        }
    }

    /// Whether an error may hold the errors of branches, of which there may be any number.
    pub(super) const fn has_branches(&self) -> bool {
        self.has_branches
    }
}

impl Extent {
    /// Counts a value at a level, with the key before it, and returns the levels up to its deepest part.
    fn add(&mut self, value: &Json, level: usize, key: usize) -> usize {
        let at = level.min(LEVELS - 1);
        self.parts[at] += 1;
        let text = if let Json::String(text) = value {
            text.len()
        } else {
            0
        };
        self.text[at] += (key + text).div_ceil(TEXT_UNIT) as u64;
        let deepest = match value {
            Json::Array(items) => items.iter().map(|item| self.add(item, at + 1, 0)).max(),
            Json::Object(members) => members
                .iter()
                .map(|(key, member)| self.add(member, at + 1, key.len()))
                .max(),
            _ => None,
        };
        deepest.unwrap_or(at + 1)
    }
}

/// The steps of subschemas that are known so far.
struct Known<'a> {
    graph: &'a Graph<'a>,
    /// By subschema and level.
    valid: Vec<Vec<Steps>>,
    /// The steps to tell which properties and items a subschema evaluates.
    evaluated: Vec<Vec<Steps>>,
}

impl Known<'_> {
    fn valid_at(&self, number: usize, level: usize) -> Steps {
        let node = &self.graph.nodes[number];
        let known = |child: usize| self.valid[child][level];
        let mut steps = self.own(number, level);
        for child in &node.in_place {
            steps.apply(known(*child));
        }
        for targets in &node.references {
            steps.apply(
                targets
                    .iter()
                    .map(|target| known(*target))
                    .fold(Steps::default(), Steps::max),
            );
        }
        for choice in &node.choices {
            let of_kind = |kind: usize| {
                let sum = |branches: &[usize]| {
                    branches
                        .iter()
                        .map(|branch| known(*branch))
                        .fold(Steps::default(), Steps::and)
                };
                let of_groups = choice
                    .groups(kind)
                    .iter()
                    .map(|group| sum(group))
                    .fold(Steps::default(), Steps::max);
                sum(choice.open(kind)).and(of_groups)
            };
            let chosen = (0..KINDS.len())
                .map(of_kind)
                .fold(Steps::default(), Steps::max);
            // Errors are those of every branch, and each branch is also asked whether it is valid.
            let all = choice
                .branches()
                .map(|branch| known(*branch))
                .fold(Steps::default(), Steps::and);
            let here = if level == 0 {
                2 * choice.branches().count() as u64
            } else {
                0
            };
            steps.apply(Steps {
                part: chosen.part.saturating_add(here),
                text: chosen.text,
                ..all
            });
        }
        if let Some(below) = level.checked_sub(1) {
            let below = |child: &usize| self.valid[*child][below];
            let element = node
                .elements
                .iter()
                .map(below)
                .fold(Steps::default(), Steps::max);
            steps.apply(node.every.iter().map(below).fold(element, Steps::and));
        }
        if node.is_unevaluated {
            steps.apply(self.evaluated[number][level]);
        }
        steps.nesting = steps.nesting.saturating_add(1);
        steps
    }

    fn evaluated_at(&self, number: usize, level: usize) -> Steps {
        let node = &self.graph.nodes[number];
        let mut steps = self.own(number, level);
        for child in node.same_value() {
            steps.apply(self.valid[child][level]);
            steps.apply(self.evaluated[child][level]);
        }
        if let Some(below) = level.checked_sub(1) {
            node.every
                .iter()
                .for_each(|child| steps.apply(self.valid[*child][below]));
        }
        steps.nesting = steps.nesting.saturating_add(1);
        steps
    }

    fn own(&self, number: usize, level: usize) -> Steps {
        let node = &self.graph.nodes[number];
        if number == EXTERNAL {
            let part = (0..level).fold(EXTERNAL_STEPS, |steps, _| {
                steps.saturating_mul(EXTERNAL_GROWTH)
            });
            return Steps {
                part,
                text: 16,
                errors: part,
                nesting: 16 * (level as u64 + 1),
            };
        }
        let (part, text) = match level {
            0 => (node.own, node.text),
            1 => (
                node.keys.saturating_add(node.deep),
                node.key_text.saturating_add(node.deep),
            ),
            _ => (node.deep, node.deep),
        };
        Steps {
            part,
            text,
            errors: part,
            nesting: 0,
        }
    }
}

impl Steps {
    /// Adds the steps of a subschema that is applied besides.
    fn apply(&mut self, other: Self) {
        let errors = self.errors.saturating_add(other.part);
        *self = self.and(other);
        self.errors = errors.saturating_add(other.errors);
    }

    fn and(self, other: Self) -> Self {
        Self {
            part: self.part.saturating_add(other.part),
            text: self.text.saturating_add(other.text),
            errors: self.errors.saturating_add(other.errors),
            nesting: self.nesting.max(other.nesting),
        }
    }

    fn max(self, other: Self) -> Self {
        Self {
            part: self.part.max(other.part),
            text: self.text.max(other.text),
            errors: self.errors.max(other.errors),
            nesting: self.nesting.max(other.nesting),
        }
    }
}

impl Graph<'_> {
    /// The subschemas in an order in which each comes behind those that it applies to the same value; `None` if it may apply
    /// itself.
    fn order(&self) -> Option<Vec<usize>> {
        #[derive(Clone, Copy, PartialEq)]
        enum Seen {
            Not,
            Open,
            Done,
        }
        let mut seen = vec![Seen::Not; self.nodes.len()];
        let mut order = Vec::with_capacity(self.nodes.len());
        for start in 0..self.nodes.len() {
            let mut path = vec![start];
            while let Some(number) = path.last().copied() {
                match seen[number] {
                    Seen::Not => {
                        seen[number] = Seen::Open;
                        for child in self.nodes[number].same_value() {
                            match seen[child] {
                                Seen::Not => path.push(child),
                                Seen::Open => return None,
                                Seen::Done => {}
                            }
                        }
                    }
                    Seen::Open => {
                        seen[number] = Seen::Done;
                        order.push(number);
                        path.pop();
                    }
                    Seen::Done => {
                        path.pop();
                    }
                }
            }
        }
        Some(order)
    }
}

fn check_patterns(graph: &Graph<'_>) -> Result<(), CostError> {
    let mut patterns: Vec<(&str, u64)> = graph
        .nodes
        .iter()
        .flat_map(|node| &node.patterns)
        .copied()
        .collect();
    patterns.sort_unstable();
    patterns.dedup();
    let bytes: usize = patterns.iter().map(|(pattern, _)| pattern.len()).sum();
    let instructions = patterns
        .iter()
        .fold(0_u64, |sum, (_, size)| sum.saturating_add(*size));
    if patterns.len() > MAX_PATTERNS
        || bytes > MAX_PATTERN_BYTES
        || instructions > MAX_PATTERN_INSTRUCTIONS
    {
        return Err(CostError::Patterns);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
