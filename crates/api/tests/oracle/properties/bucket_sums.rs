//! Short buckets combine to long ones, and the parts of a range to the whole.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use time_series_testkit::Backend;
use uuid::Uuid;

use crate::compare::leaf_summary::{LeafSummary, tolerance_of_sums};
use crate::compare::table::{get_table, paths_below_functions};
use crate::fixture::Fixture;
use crate::fixture::calendar::{DAY, WEEKDAYS, ZONES, timestamp};
use crate::fixture::metric_type::Path;
use crate::generate::case::{Case, single_user_case};
use crate::query::parameters::Parameters;
use crate::runner::Outcome;
use crate::runner::for_all::for_all;
use crate::runner::operations::delete;
use crate::runner::user_state::UserState;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_combine_to_the_whole() {
    for backend in Backend::ALL {
        let fixture = Fixture::start(backend).await;
        for_all("parts", 40, &nested_case(), async |case| {
            parts_combine(&fixture, &case).await
        });
    }
}

/// Two intervals of which each coarse bucket is a union of fine ones.
#[derive(Debug, Clone, Copy)]
struct NestedIntervals {
    fine: &'static str,
    coarse: &'static str,
}

#[derive(Debug, Clone)]
struct NestedCase {
    case: Case<()>,
    zone: &'static str,
    week_start: &'static str,
    intervals: NestedIntervals,
    /// The position at which the range is cut in two, in thousandths.
    cut: i64,
}

fn nested_case() -> impl Strategy<Value = NestedCase> {
    let intervals = [
        ("hour", "day"),
        ("30s", "min"),
        ("15m", "hour"),
        ("hour", "6h"),
        ("7h", "day"),
        ("15m", "week"),
        ("day", "3d"),
        ("day", "week"),
        ("week", "2w"),
        ("6h", "month"),
        ("month", "quarter"),
        ("month", "5mo"),
        ("quarter", "year"),
        ("day", "all"),
        ("month", "all"),
    ]
    .map(|(fine, coarse)| NestedIntervals { fine, coarse });
    let case = single_user_case(6, 0, |_| Just(()));
    let other_zone = proptest::option::of(select(ZONES.to_vec()));
    let week_start = select(WEEKDAYS.to_vec());
    let intervals = select(intervals.to_vec());
    (case, other_zone, week_start, intervals, 0..=1_000_i64).prop_map(
        |(case, other_zone, week_start, intervals, cut)| NestedCase {
            zone: other_zone.unwrap_or(case.time_span.zone),
            case,
            week_start,
            intervals,
            cut,
        },
    )
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct LeafKey {
    series: String,
    path: Path,
}

/// The results of each leaf by bucket.
type LeafSummaries = BTreeMap<LeafKey, BTreeMap<Timestamp, LeafSummary>>;

async fn parts_combine(fixture: &Fixture, nested: &NestedCase) -> Outcome {
    let mut states = nested.case.run(fixture).await?;
    let checked = check_parts(fixture, nested, &mut states[0]).await;
    checked.map_err(|e| format!("{:?}: {e}\nafter\n{}", nested.intervals, states[0].report()))
}

async fn check_parts(fixture: &Fixture, nested: &NestedCase, state: &mut UserState) -> Outcome {
    let times: Vec<i64> = state.points().iter().map(|p| p.time).collect();
    let (Some(&first), Some(&last)) = (times.iter().min(), times.iter().max()) else {
        return Ok(());
    };
    let end = last + 1;
    let NestedIntervals { fine, coarse } = intervals(nested, last - first);
    let start = range_start(fine, nested.intervals.coarse, first);
    let queries = Queries {
        fixture,
        nested,
        user: state.user,
    };
    let fine_buckets = queries.get(fine, start, end).await?;
    let coarse_buckets = queries.get(coarse, start, end).await?;
    expect_combine(fixture, state, &fine_buckets, &coarse_buckets)?;

    let cut = first + (last - first) * nested.cut / 1_000;
    let mut halves = queries.get("all", first, cut).await?;
    for (key, second) in queries.get("all", cut, end).await? {
        halves.entry(key).or_default().extend(second);
    }
    let whole = queries.get("all", first, end).await?;
    expect_combine(fixture, state, &halves, &whole)?;

    let slots: Vec<usize> = state.sessions.keys().copied().collect();
    for slot in slots {
        delete(fixture, state, slot).await?;
    }
    let left = queries.get(fine, start, end).await?;
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("all sessions are deleted, but there is {left:?}"))
    }
}

/// Replaces short intervals if the points lie far apart.
fn intervals(nested: &NestedCase, length: i64) -> NestedIntervals {
    let is_long = length >= 100 * DAY;
    if is_long && !["month", "quarter"].contains(&nested.intervals.fine) {
        NestedIntervals {
            fine: "day",
            coarse: "month",
        }
    } else {
        nested.intervals
    }
}

/// Returns the start of the range. A bucket that the start cuts has its calendar label, which may
/// precede the label of its coarse bucket; the range starts long before the first point, so that no
/// such bucket has points. Only the cases generated with `all` start with the first point.
fn range_start(fine: &str, coarse: &str, first: i64) -> i64 {
    if coarse == "all" {
        first
    } else if ["day", "week"].contains(&fine) {
        -800 * DAY
    } else {
        (-800 * DAY).max(first - 100 * DAY)
    }
}

/// The queries for the data of a case.
struct Queries<'a> {
    fixture: &'a Fixture,
    nested: &'a NestedCase,
    user: Uuid,
}

impl Queries<'_> {
    async fn get(&self, interval: &str, start: i64, end: i64) -> Outcome<LeafSummaries> {
        let mut summaries = LeafSummaries::new();
        if start >= end {
            return Ok(summaries); // the service rejects an empty range
        }
        let mut parameters = Parameters::default();
        parameters.add("user_id", self.user.to_string());
        parameters.add("interval", interval);
        parameters.add("start_time", timestamp(start).to_string());
        parameters.add("end_time", timestamp(end).to_string());
        parameters.add("agg_func", LeafSummary::ORDERED_FUNCTIONS);
        parameters.add("tz", self.nested.zone);
        parameters.add("week_start", self.nested.week_start);
        for (key, row) in get_table(self.fixture, &parameters).await? {
            let bucket: Timestamp = key
                .bucket
                .parse()
                .map_err(|e| format!("{}: {e}", key.bucket))?;
            for path in paths_below_functions(&row) {
                let leaf = LeafKey {
                    series: key.series.clone(),
                    path: path.to_vec(),
                };
                let summary = LeafSummary::read(&row, path)?;
                summaries.entry(leaf).or_default().insert(bucket, summary);
            }
        }
        Ok(summaries)
    }
}

/// Checks that the results of each coarse bucket are those of the fine buckets from its label to
/// the next one.
fn expect_combine(
    fixture: &Fixture,
    state: &UserState,
    fine: &LeafSummaries,
    coarse: &LeafSummaries,
) -> Outcome {
    if !fine.keys().eq(coarse.keys()) {
        return Err(format!(
            "{:?} in the parts, {:?} in the whole",
            fine.keys(),
            coarse.keys()
        ));
    }
    for ((leaf, fine), coarse) in fine.iter().zip(coarse.values()) {
        let tolerance = tolerance_of_sums(
            fixture,
            std::slice::from_ref(state),
            &leaf.series,
            &leaf.path,
        );
        let combined = combine(fine, coarse);
        for (bucket, whole) in coarse {
            let parts = combined
                .get(bucket)
                .ok_or_else(|| format!("{leaf:?} at {bucket} has no parts"))?;
            if !parts.equals(whole, tolerance) {
                return Err(format!(
                    "{leaf:?} at {bucket}: {whole:?} expected, its parts combine to {parts:?}"
                ));
            }
        }
    }
    Ok(())
}

fn combine(
    fine: &BTreeMap<Timestamp, LeafSummary>,
    coarse: &BTreeMap<Timestamp, LeafSummary>,
) -> BTreeMap<Timestamp, LeafSummary> {
    let mut combined: BTreeMap<Timestamp, LeafSummary> = BTreeMap::new();
    for (at, part) in fine {
        // The label of a part that the start cuts precedes that of `all`.
        let (bucket, _) = coarse
            .range(..=*at)
            .next_back()
            .or_else(|| coarse.first_key_value())
            .expect("a coarse bucket");
        let sum = match combined.get(bucket) {
            Some(earlier) => earlier.followed_by(part),
            None => part.clone(),
        };
        combined.insert(*bucket, sum);
    }
    combined
}
