//! Random conditions that some of the points fulfil and others do not.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::metrics::Metric;
use crate::model::Point;
use crate::wide::ask::Parameters;
use crate::wide::model::{Condition, leaf_name};

const OPS: [&str; 6] = [">=", "<", "=", "!=", "<=", ">"];

/// Something that points must fulfil, before it is known of what data.
#[derive(Debug, Clone)]
pub(crate) struct Clause {
    point: Index,
    leaf: Index,
    op: &'static str,
    /// What the number is above that of the point.
    above: f64,
    spaced: bool,
    /// A leaf that no series has.
    nowhere: bool,
}

fn clause() -> impl Strategy<Value = Clause> {
    let above = prop_oneof![3 => Just(0.0), 1 => Just(1.0), 1 => Just(-1.0), 1 => Just(-50.5)];
    (
        any::<Index>(),
        any::<Index>(),
        select(OPS.to_vec()),
        above,
        any::<bool>(),
        prop::bool::weighted(0.04),
    )
        .prop_map(|(point, leaf, op, above, spaced, nowhere)| Clause {
            point,
            leaf,
            op,
            above,
            spaced,
            nowhere,
        })
}

pub(crate) fn clauses() -> impl Strategy<Value = Vec<Clause>> {
    prop_oneof![2 => Just(Vec::new()), 1 => vec(clause(), 1..=2)]
}

/// Conditions about numbers that some of the points have.
pub(crate) fn conditions(
    parameters: &mut Parameters,
    clauses: &[Clause],
    points: &[&Point],
    catalogue: &[Metric],
) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let mut spelled = Vec::new();
    let about: Vec<&&Point> = points
        .iter()
        .filter(|p| !catalogue[p.metric].leaves.is_empty())
        .collect();
    for clause in clauses {
        let (leaf, number) = if about.is_empty() || clause.nowhere {
            ("nowhere".to_owned(), 0.0)
        } else {
            let point = clauses[0].point.get(&about); // so that a series has the leaves of all
            let path = clause.leaf.get(&catalogue[point.metric].leaves);
            (
                leaf_name(path),
                point.value.leaf(path).unwrap_or(1.0) + clause.above,
            )
        };
        let space = if clause.spaced { " " } else { "" };
        spelled.push(format!("{leaf}{space}{}{space}{number:?}", clause.op));
        conditions.push(Condition {
            leaf,
            op: clause.op,
            number,
        });
    }
    if !spelled.is_empty() {
        parameters.add("where", spelled.join(","));
    }
    conditions
}
