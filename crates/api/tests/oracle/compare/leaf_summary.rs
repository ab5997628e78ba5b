//! Results of a leaf that can be combined from those of its parts.

use std::collections::BTreeMap;

use crate::compare::table::{RowLeaves, Table, function_result, paths_below_functions};
use crate::fixture::Fixture;
use crate::fixture::metric_type::Path;
use crate::model::rounding::sum_tolerance;
use crate::runner::Outcome;
use crate::runner::user_state::UserState;

/// The results of one leaf in one row.
#[derive(Debug, Clone)]
pub(crate) struct LeafSummary {
    count: f64,
    sum: f64,
    min: f64,
    max: f64,
    /// `None` if the query does not have the function.
    first: Option<f64>,
    last: Option<f64>,
}

impl LeafSummary {
    /// The functions that can be combined from parts in any order.
    pub(crate) const UNORDERED_FUNCTIONS: &str = "count,sum,min,max";

    /// The functions that can be combined from parts in the order of time.
    pub(crate) const ORDERED_FUNCTIONS: &str = "count,sum,min,max,first,last";

    pub(crate) fn read(row: &RowLeaves, path: &[String]) -> Outcome<Self> {
        let get = |function: &str| {
            function_result(row, function, path)
                .ok_or_else(|| format!("no {function} of {path:?} in {row:?}"))
        };
        Ok(Self {
            count: get("count")?,
            sum: get("sum")?,
            min: get("min")?,
            max: get("max")?,
            first: function_result(row, "first", path),
            last: function_result(row, "last", path),
        })
    }

    /// Combines the results with those of a later part.
    pub(crate) fn followed_by(&self, later: &Self) -> Self {
        Self {
            count: self.count + later.count,
            sum: self.sum + later.sum,
            min: self.min.min(later.min),
            max: self.max.max(later.max),
            first: self.first,
            last: later.last,
        }
    }

    pub(crate) fn equals(&self, other: &Self, sum_tolerance: f64) -> bool {
        (self.sum - other.sum).abs() <= sum_tolerance
            && self.count == other.count
            && self.min == other.min
            && self.max == other.max
            && self.first == other.first
            && self.last == other.last
    }
}

/// The maximum difference between two sums of numbers of a leaf.
pub(crate) fn tolerance_of_sums(
    fixture: &Fixture,
    states: &[UserState],
    series: &str,
    path: &[String],
) -> f64 {
    let (index, metric_type) = fixture.find(series).expect("a series of the catalogue");
    let path = metric_type.value_path(path);
    let numbers: Vec<f64> = states
        .iter()
        .flat_map(UserState::points)
        .filter(|point| point.metric_index == index)
        .filter_map(|point| point.value.leaf(path))
        .collect();
    4.0 * sum_tolerance(&numbers)
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SeriesBucket {
    series: String,
    bucket: String,
}

type Summaries = BTreeMap<SeriesBucket, BTreeMap<Path, LeafSummary>>;

fn combined_by_bucket(table: &Table) -> Outcome<Summaries> {
    let mut summaries = Summaries::new();
    for (key, row) in table {
        let key = SeriesBucket {
            series: key.series.clone(),
            bucket: key.bucket.clone(),
        };
        let leaves = summaries.entry(key).or_default();
        for path in paths_below_functions(row) {
            let part = LeafSummary::read(row, path)?;
            let combined = match leaves.get(path) {
                Some(earlier) => earlier.followed_by(&part),
                None => part,
            };
            leaves.insert(path.to_vec(), combined);
        }
    }
    Ok(summaries)
}

/// Checks that the rows of groups combine to the rows without groups.
pub(crate) fn expect_groups_combine(
    fixture: &Fixture,
    states: &[UserState],
    groups: &Table,
    all: &Table,
) -> Outcome {
    let groups = combined_by_bucket(groups)?;
    let all = combined_by_bucket(all)?;
    if !groups.keys().eq(all.keys()) {
        return Err(format!(
            "{:?} with groups, {:?} without",
            groups.keys(),
            all.keys()
        ));
    }
    for ((key, groups), all) in groups.iter().zip(all.values()) {
        let is_equal = |path: &Path| match (groups.get(path), all.get(path)) {
            (Some(groups), Some(all)) => {
                let tolerance = tolerance_of_sums(fixture, states, &key.series, path);
                groups.equals(all, tolerance)
            }
            _ => false,
        };
        if let Some(path) = groups.keys().chain(all.keys()).find(|path| !is_equal(path)) {
            return Err(format!(
                "{key:?} {path:?}: {:?} with groups, {:?} without",
                groups.get(path),
                all.get(path)
            ));
        }
    }
    Ok(())
}
