//! Rows of groups put together are the rows of all.

use std::collections::BTreeMap;

use crate::model::slack;
use crate::play::{Outcome, State, World};
use crate::wide::table::{Leaves, Table, below_functions, of};

/// What can be put together from parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parts {
    count: f64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Parts {
    pub(crate) const FUNCTIONS: &str = "count,sum,min,max";

    fn of(row: &Leaves, path: &[String]) -> Outcome<Self> {
        let get = |function: &str| {
            of(row, function, path).ok_or_else(|| format!("no {function} in {row:?}"))
        };
        Ok(Self {
            count: get("count")?,
            sum: get("sum")?,
            min: get("min")?,
            max: get("max")?,
        })
    }

    fn join(&self, other: &Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    fn equals(&self, other: &Self, slack: f64) -> bool {
        let exact = |parts: &Self| (parts.count, parts.min, parts.max);
        (self.sum - other.sum).abs() <= slack && exact(self) == exact(other)
    }
}

/// By series and bucket, and by leaf.
type Sums = BTreeMap<(String, String), BTreeMap<Vec<String>, Parts>>;

fn joined(table: &Table) -> Outcome<Sums> {
    let mut sums = Sums::new();
    for ((series, bucket, ..), row) in table {
        let leaves = sums.entry((series.clone(), bucket.clone())).or_default();
        for path in below_functions(row) {
            let part = Parts::of(row, path)?;
            let whole = leaves
                .get(path)
                .map_or_else(|| part.clone(), |sofar| sofar.join(&part));
            leaves.insert(path.to_vec(), whole);
        }
    }
    Ok(sums)
}

/// Whether the rows of groups come to the rows of all.
pub(crate) fn adds_up(world: &World, states: &[State], groups: &Table, all: &Table) -> Outcome {
    let (parts, whole) = (joined(groups)?, joined(all)?);
    if !parts.keys().eq(whole.keys()) {
        return Err(format!(
            "{:?} in groups, {:?} in all",
            parts.keys(),
            whole.keys()
        ));
    }
    for ((key, parts), whole) in parts.iter().zip(whole.values()) {
        let equal = |path: &Vec<String>| match (parts.get(path), whole.get(path)) {
            (Some(parts), Some(whole)) => parts.equals(whole, off(world, states, &key.0, path)),
            _ => false,
        };
        if let Some(path) = parts.keys().chain(whole.keys()).find(|path| !equal(path)) {
            return Err(format!(
                "{key:?} {path:?}: {:?} in groups, {:?} in all",
                parts.get(path),
                whole.get(path)
            ));
        }
    }
    Ok(())
}

/// How far sums of some of these numbers may be from each other.
fn off(world: &World, states: &[State], series: &str, path: &[String]) -> f64 {
    let place = world
        .catalogue
        .iter()
        .position(|m| m.series == series)
        .expect("a series of ours");
    let metric = &world.catalogue[place];
    let path = if metric.is_scalar() {
        &metric.leaves[0]
    } else {
        path
    };
    let points = states
        .iter()
        .flat_map(State::points)
        .filter(|p| p.metric == place);
    4.0 * slack(
        &points
            .filter_map(|p| p.value.leaf(path))
            .collect::<Vec<_>>(),
    )
}
