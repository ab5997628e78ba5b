//! Random conditions of `where` that some points fulfil and others do not.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::fixture::json::Json;
use crate::fixture::metric_type::{MetricType, Path, leaf_name};
use crate::fixture::session::Point;
use crate::query::parameters::Parameters;

const OPERATORS: [&str; 6] = [">=", "<", "=", "!=", "<=", ">"];

/// A condition before the data are known.
#[derive(Debug, Clone)]
pub(crate) struct ConditionSpec {
    point: Index,
    leaf: Index,
    operator: &'static str,
    /// The difference between the number of the condition and that of the point.
    difference: f64,
    has_spaces: bool,
    /// True if the condition is about a leaf that no series has.
    is_unknown_leaf: bool,
}

fn condition_spec() -> impl Strategy<Value = ConditionSpec> {
    let difference = prop_oneof![3 => Just(0.0), 1 => Just(1.0), 1 => Just(-1.0), 1 => Just(-50.5)];
    (
        any::<Index>(),
        any::<Index>(),
        select(OPERATORS.to_vec()),
        difference,
        any::<bool>(),
        prop::bool::weighted(0.04),
    )
        .prop_map(
            |(point, leaf, operator, difference, has_spaces, is_unknown_leaf)| ConditionSpec {
                point,
                leaf,
                operator,
                difference,
                has_spaces,
                is_unknown_leaf,
            },
        )
}

pub(crate) fn condition_specs() -> impl Strategy<Value = Vec<ConditionSpec>> {
    prop_oneof![2 => Just(Vec::new()), 1 => vec(condition_spec(), 1..=2)]
}

/// A comparison of a leaf with a number that points must fulfil.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) leaf: String,
    pub(crate) operator: &'static str,
    pub(crate) number: f64,
}

impl Condition {
    /// Returns whether the metric type has the leaf of the condition.
    pub(crate) fn applies_to(&self, metric_type: &MetricType) -> bool {
        self.path(metric_type).is_some()
    }

    pub(crate) fn holds(&self, metric_type: &MetricType, value: &Json) -> bool {
        let path = self.path(metric_type);
        let Some(number) = path.and_then(|path| value.leaf(path)) else {
            return false;
        };
        match self.operator {
            "=" => number == self.number,
            "!=" => number != self.number,
            "<" => number < self.number,
            "<=" => number <= self.number,
            ">" => number > self.number,
            ">=" => number >= self.number,
            other => unreachable!("operator {other}"),
        }
    }

    fn path<'a>(&self, metric_type: &'a MetricType) -> Option<&'a Path> {
        let mut leaves = metric_type.leaves.iter();
        leaves.find(|path| leaf_name(path) == self.leaf)
    }
}

/// Adds conditions about numbers of the points to the parameters.
pub(crate) fn add_conditions(
    parameters: &mut Parameters,
    specs: &[ConditionSpec],
    points: &[&Point],
    catalogue: &[MetricType],
) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let mut texts = Vec::new();
    let numeric: Vec<&Point> = points
        .iter()
        .filter(|p| catalogue[p.metric_index].is_numeric())
        .copied()
        .collect();
    for spec in specs {
        let (leaf, number) = if numeric.is_empty() || spec.is_unknown_leaf {
            ("nowhere".to_owned(), 0.0)
        } else {
            // All conditions are about one point, so that its series has the leaves of all.
            let point = specs[0].point.get(&numeric);
            let path: &Path = spec.leaf.get(&catalogue[point.metric_index].leaves);
            let number = point.value.leaf(path).unwrap_or(1.0) + spec.difference;
            (leaf_name(path), number)
        };
        let operator = spec.operator;
        let space = if spec.has_spaces { " " } else { "" };
        texts.push(format!("{leaf}{space}{operator}{space}{number:?}"));
        conditions.push(Condition {
            leaf,
            operator,
            number,
        });
    }
    if !texts.is_empty() {
        parameters.add("where", texts.join(","));
    }
    conditions
}
