//! The cost of validating values with a schema.

use serde_json::Value;

use super::cost_error::CostError;
use super::cost_table::CostTable;
use super::graph::{Graph, ROOT};
use super::limits::{
    LEVELS, MAX_COMPILE_STEPS, MAX_NESTING, MAX_PATTERN_BYTES, MAX_PATTERN_INSTRUCTIONS,
    MAX_PATTERNS, MAX_SCALAR_STEPS, MAX_VALUE_STEPS, USUAL_LEVELS,
};
use super::steps::Steps;

/// The cost of validating values, by the level of their parts.
#[derive(Debug)]
pub(in crate::metric_type) struct ValidationCost {
    levels: Vec<Steps>,
    /// True if an error contains the errors of branches.
    has_branches: bool,
}

impl ValidationCost {
    /// Computes the cost of a stored schema.
    pub(in crate::metric_type) fn of(document: &Value) -> Self {
        let mut graph = Graph::of(document);
        graph.group_branches();
        Self::of_graph(&graph)
    }

    /// Checks the cost of a new schema.
    ///
    /// # Errors
    /// [`CostError`] if the schema exceeds a limit.
    pub(in crate::metric_type) fn check(document: &Value) -> Result<(), CostError> {
        let mut graph = Graph::of(document);
        check_patterns(&graph)?;
        if graph.evaluation_order().is_none() {
            return Err(CostError::Endless);
        }
        if !graph.compiles_within(MAX_COMPILE_STEPS) {
            return Err(CostError::Compilation);
        }
        graph.group_branches();
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
        let levels = match graph.evaluation_order() {
            Some(order) => CostTable::compute(graph, &order).into_levels(ROOT),
            None => vec![Steps::ENDLESS; LEVELS],
        };
        Self {
            levels,
            has_branches: graph.nodes.iter().any(|node| !node.choices.is_empty()),
        }
    }

    /// Returns the steps per part of a value, by the level of the part.
    pub(super) fn levels(&self) -> &[Steps] {
        &self.levels
    }

    /// Returns whether an error may contain the errors of branches, of which there may be any
    /// number.
    pub(in crate::metric_type) const fn has_branches(&self) -> bool {
        self.has_branches
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
