//! Random aggregate queries, before the data are known.

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use crate::fixture::calendar::{INTERVALS, Interval, WEEKDAYS, ZONES};
use crate::model::aggregate::{Fill, GroupBy};
use crate::model::functions::{BASIC_FUNCTIONS, FUNCTIONS, TEXT_FUNCTIONS};
use crate::query::condition::{ConditionSpec, condition_specs};
use crate::query::series::{SELECTIONS, SeriesSpec};
use crate::query::time_range::{TimeRangeSpec, edges_around_all_points, time_range};

/// A duration parameter and its length in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DurationText {
    pub(crate) text: &'static str,
    pub(crate) seconds: i64,
}

const fn duration(text: &'static str, seconds: i64) -> DurationText {
    DurationText { text, seconds }
}

/// Lengths of buckets of queries with `align=session`.
pub(crate) const ALIGNED_INTERVALS: [DurationText; 10] = [
    duration("hour", 3_600),
    duration("24h", 86_400),
    duration("6h", 21_600),
    duration("min", 60),
    duration("30s", 30),
    duration("7m", 420),
    duration("15m", 900),
    duration("90m", 5_400),
    duration("7h", 25_200),
    duration("1s", 1),
];

const LOOKBACKS: [DurationText; 8] = [
    duration("7d", 604_800),
    duration("12h", 43_200),
    duration("30m", 1_800),
    duration("45s", 45),
    duration("36h", 129_600),
    duration("90min", 5_400),
    duration("4w", 2_419_200),
    duration("400d", 34_560_000),
];

/// The users of a query.
#[derive(Debug, Clone)]
pub(crate) struct UserSelection {
    /// A bit for each user of the case.
    pub(crate) mask: usize,
    /// True if the query also names a user without data.
    pub(crate) includes_stranger: bool,
    /// True if `user_id` is repeated, false if it is a list.
    pub(crate) repeats_parameter: bool,
    /// True if the first user is named twice.
    pub(crate) names_first_twice: bool,
}

/// The session that a query is restricted to.
#[derive(Debug, Clone)]
pub(crate) enum SessionFilter {
    Stored(Index),
    Unknown,
}

/// An aggregate query before the data are known.
#[derive(Debug, Clone)]
pub(crate) struct AggregateSpec {
    pub(crate) interval: Interval,
    pub(crate) zone: &'static str,
    /// Index in `WEEKDAYS`.
    pub(crate) week_start: Option<usize>,
    pub(crate) range: TimeRangeSpec,
    pub(crate) functions: Vec<&'static str>,
    pub(crate) series: SeriesSpec,
    pub(crate) session: Option<SessionFilter>,
    pub(crate) over: Vec<&'static str>,
    pub(crate) group_by: GroupBy,
    /// The interval of a query with `align=session`.
    pub(crate) aligned: Option<DurationText>,
    pub(crate) fill: Fill,
    pub(crate) lookback: Option<DurationText>,
    pub(crate) conditions: Vec<ConditionSpec>,
    pub(crate) users: UserSelection,
    pub(crate) accuracy: Option<&'static str>,
    pub(crate) explain: bool,
    /// True if series are chosen such that the query has a result: numeric series for numeric
    /// functions, and all series instead of a selection that matches no point.
    pub(crate) prefers_data: bool,
}

/// A query of one user with the basic functions on a calendar: no groups, conditions or fill.
pub(crate) fn basic_aggregate(local_zone: &'static str) -> impl Strategy<Value = AggregateSpec> {
    let zone = prop_oneof![3 => Just(local_zone), 1 => Just("UTC"), 2 => select(ZONES.to_vec())];
    let functions = prop_oneof![
        3 => select(BASIC_FUNCTIONS.to_vec()).prop_map(|f| vec![f]),
        1 => Just(vec!["count"]),
        2 => subsequence(vec!["first", "last", "count"], 1..=3),
        3 => subsequence(BASIC_FUNCTIONS.to_vec(), 1..=8).prop_shuffle(),
        2 => Just(BASIC_FUNCTIONS.to_vec()),
    ];
    let week_start = proptest::option::weighted(0.5, 0..WEEKDAYS.len());
    let session = proptest::option::weighted(
        0.2,
        prop_oneof![
            9 => any::<Index>().prop_map(SessionFilter::Stored),
            1 => Just(SessionFilter::Unknown),
        ],
    );
    let series = prop_oneof![
        1 => select(SELECTIONS.to_vec()).prop_map(SeriesSpec::Selection),
        1 => any::<Index>().prop_map(SeriesSpec::OfPoint),
    ];
    let sends =
        prop_oneof![16 => Just((true, true)), 1 => Just((false, true)), 1 => Just((true, false))];
    let interval = select(INTERVALS.to_vec());
    let parts = (
        interval,
        zone,
        week_start,
        time_range(sends),
        functions,
        series,
        session,
    );
    parts.prop_map(
        |(interval, zone, week_start, range, functions, series, session)| AggregateSpec {
            interval,
            zone,
            week_start,
            range,
            functions,
            series,
            session,
            over: Vec::new(),
            group_by: GroupBy::Nothing,
            aligned: None,
            fill: Fill::None,
            lookback: None,
            conditions: Vec::new(),
            users: UserSelection {
                mask: 1,
                includes_stranger: false,
                repeats_parameter: false,
                names_first_twice: false,
            },
            accuracy: None,
            explain: false,
            prefers_data: false,
        },
    )
}

fn functions() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![
        4 => select(FUNCTIONS.to_vec()).prop_map(|f| vec![f]),
        1 => Just(vec!["time_avg"]),
        3 => subsequence(TEXT_FUNCTIONS.to_vec(), 1..=5),
        4 => subsequence(FUNCTIONS.to_vec(), 1..=6).prop_shuffle(),
        1 => Just(FUNCTIONS.to_vec()),
    ]
}

fn over() -> impl Strategy<Value = Vec<&'static str>> {
    let all: Vec<&str> = FUNCTIONS.into_iter().filter(|f| *f != "time_avg").collect();
    prop_oneof![
        8 => Just(Vec::new()),
        2 => select(all.clone()).prop_map(|f| vec![f]),
        1 => subsequence(TEXT_FUNCTIONS.to_vec(), 1..=3),
        2 => subsequence(all, 1..=3).prop_shuffle(),
    ]
}

fn user_selection() -> impl Strategy<Value = UserSelection> {
    let mask = prop_oneof![2 => Just(1), 3 => 1_usize..8];
    let rarely = || prop::bool::weighted(0.1);
    (mask, rarely(), any::<bool>(), rarely()).prop_map(
        |(mask, includes_stranger, repeats_parameter, names_first_twice)| UserSelection {
            mask,
            includes_stranger,
            repeats_parameter,
            names_first_twice,
        },
    )
}

fn group_by() -> impl Strategy<Value = GroupBy> {
    prop_oneof![
        4 => Just(GroupBy::Nothing),
        2 => Just(GroupBy::Session),
        2 => Just(GroupBy::User),
    ]
}

fn fill() -> impl Strategy<Value = Fill> {
    prop_oneof![
        4 => Just(Fill::None),
        1 => Just(Fill::Null),
        1 => Just(Fill::Zero),
        2 => Just(Fill::Previous),
        2 => Just(Fill::Linear),
    ]
}

/// A query that combines any of the parameters of aggregate queries.
pub(crate) fn full_aggregate(local_zone: &'static str) -> impl Strategy<Value = AggregateSpec> {
    let around = proptest::option::weighted(0.5, edges_around_all_points());
    let base = (basic_aggregate(local_zone), around).prop_map(|(mut base, around)| {
        if let Some(edges) = around {
            base.range.edges = edges;
        }
        base
    });
    let aligned = proptest::option::weighted(0.3, select(ALIGNED_INTERVALS.to_vec()));
    let lookback = proptest::option::weighted(0.6, select(LOOKBACKS.to_vec()));
    let accuracy = proptest::option::weighted(0.1, select(vec!["exact", "approx"]));
    let groups = (functions(), over(), group_by(), user_selection());
    let buckets = (aligned, fill(), lookback, condition_specs());
    let rest = (accuracy, prop::bool::weighted(0.1));
    (base, groups, buckets, rest).prop_map(|(base, groups, buckets, (accuracy, explain))| {
        let (functions, over, group_by, users) = groups;
        let (aligned, fill, lookback, conditions) = buckets;
        AggregateSpec {
            range: TimeRangeSpec {
                sends_end: base.range.sends_end || fill != Fill::None,
                ..base.range
            },
            functions: if over.is_empty() {
                functions
            } else {
                functions_below_over(&functions, fill)
            },
            over,
            group_by,
            aligned,
            fill,
            lookback: lookback.filter(|_| fill != Fill::None && aligned.is_none()),
            conditions,
            users,
            accuracy,
            explain,
            prefers_data: true,
            ..base
        }
    })
}

/// Returns at most four functions. With `fill`, leaves out `stddev`, which is null for one point.
fn functions_below_over(functions: &[&'static str], fill: Fill) -> Vec<&'static str> {
    let is_allowed = |function: &&&str| fill == Fill::None || **function != "stddev";
    let functions: Vec<&str> = functions
        .iter()
        .filter(is_allowed)
        .take(4)
        .copied()
        .collect();
    if functions.is_empty() {
        vec!["avg"]
    } else {
        functions
    }
}
