//! Computes the steps of every subschema, level by level from the leaves of a value to its root.

use super::choice::KINDS;
use super::graph::{EXTERNAL, Graph};
use super::limits::LEVELS;
use super::steps::Steps;

/// Steps at the root of a value for a schema outside the document, such as a meta-schema.
const EXTERNAL_STEPS: u64 = 100;
/// Growth of those steps per level.
const EXTERNAL_GROWTH: u64 = 4;

/// The steps of subschemas by level, as far as they have been computed.
pub(super) struct CostTable<'a> {
    graph: &'a Graph<'a>,
    /// The steps to validate, by subschema and level.
    validation: Vec<Vec<Steps>>,
    /// The steps to determine the evaluated properties and items, by subschema and level.
    evaluation: Vec<Vec<Steps>>,
}

impl<'a> CostTable<'a> {
    /// Computes the steps of all subschemas; `order` is their evaluation order.
    pub(super) fn compute(graph: &'a Graph<'a>, order: &[usize]) -> Self {
        let empty = vec![Vec::with_capacity(LEVELS); graph.nodes.len()];
        let mut table = Self {
            graph,
            validation: empty.clone(),
            evaluation: empty,
        };
        let has_unevaluated = graph.nodes.iter().any(|node| node.is_unevaluated);
        for level in 0..LEVELS {
            for number in order {
                if has_unevaluated {
                    let steps = table.evaluation_steps(*number, level);
                    table.evaluation[*number].push(steps);
                }
                let steps = table.validation_steps(*number, level);
                table.validation[*number].push(steps);
            }
        }
        table
    }

    /// Returns the steps to validate with a subschema, by level.
    pub(super) fn into_levels(mut self, number: usize) -> Vec<Steps> {
        self.validation.swap_remove(number)
    }

    fn validation_steps(&self, number: usize, level: usize) -> Steps {
        let node = &self.graph.nodes[number];
        let steps_of = |child: usize| self.validation[child][level];
        let mut steps = self.own(number, level);
        for child in &node.in_place {
            steps.apply(steps_of(*child));
        }
        for targets in &node.references {
            steps.apply(
                targets
                    .iter()
                    .map(|target| steps_of(*target))
                    .fold(Steps::default(), Steps::max),
            );
        }
        for choice in &node.choices {
            let of_kind = |kind: usize| {
                let sum = |branches: &[usize]| {
                    branches
                        .iter()
                        .map(|branch| steps_of(*branch))
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
            // Errors are collected from every branch, after each branch is validated.
            let all = choice
                .branches()
                .map(|branch| steps_of(*branch))
                .fold(Steps::default(), Steps::and);
            let overhead = if level == 0 {
                2 * choice.branches().count() as u64
            } else {
                0
            };
            steps.apply(Steps {
                part: chosen.part.saturating_add(overhead),
                text: chosen.text,
                ..all
            });
        }
        if let Some(below) = level.checked_sub(1) {
            let below = |child: &usize| self.validation[*child][below];
            let element = node
                .elements
                .iter()
                .map(below)
                .fold(Steps::default(), Steps::max);
            steps.apply(node.every.iter().map(below).fold(element, Steps::and));
        }
        if node.is_unevaluated {
            steps.apply(self.evaluation[number][level]);
        }
        steps.nesting = steps.nesting.saturating_add(1);
        steps
    }

    fn evaluation_steps(&self, number: usize, level: usize) -> Steps {
        let node = &self.graph.nodes[number];
        let mut steps = self.own(number, level);
        for child in node.same_value() {
            steps.apply(self.validation[child][level]);
            steps.apply(self.evaluation[child][level]);
        }
        if let Some(below) = level.checked_sub(1) {
            node.every
                .iter()
                .for_each(|child| steps.apply(self.validation[*child][below]));
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
