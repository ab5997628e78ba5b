//! Metadata of an aggregate answer: the effective parameters, the data version and the statistics.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time_series_domain::query::{
    ABSOLUTE_ERROR, Accuracy, AggregateAnswer, Fill, GroupBy, QueryStats, RELATIVE_ERROR,
};

use uuid::Uuid;

use super::request::AggregateRequest;

/// The effective parameters, including defaults, and the version of the data.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct TimeseriesMetadata {
    /// The number of results.
    count: usize,
    /// The length of the buckets.
    interval: String,
    /// The functions.
    agg_func: String,
    /// The user whose data are aggregated, or an array of several users.
    user_id: Value,
    /// The only session, or null.
    session_id: Option<Uuid>,
    /// The series parameters as they were given; empty for all.
    series: Vec<String>,
    /// Start of the range, inclusive.
    start_time: String,
    /// End of the range, exclusive.
    end_time: String,
    /// The time zone of the buckets; absent with `align=session`.
    #[serde(skip_serializing_if = "Option::is_none")]
    tz: Option<String>,
    /// The day that weeks start on; absent with `align=session`.
    #[serde(skip_serializing_if = "Option::is_none")]
    week_start: Option<String>,
    /// The conditions on points, or null.
    r#where: Option<String>,
    /// `calendar` or `session`.
    align: &'static str,
    /// `session`, `user` or null.
    group_by: Option<&'static str>,
    /// The functions of the values of groups, or null.
    over: Option<String>,
    /// The filling of buckets without a point.
    fill: &'static str,
    /// The length of time before the range that was searched for a known bucket, or null.
    fill_lookback: Option<String>,
    /// The required accuracy: `exact` or `approx`.
    accuracy: &'static str,
    /// The number of approximate rows and their error; absent if all rows are exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) approximate: Option<Approximate>,
    /// Series that a pattern selected but that have no numbers to aggregate, and those that lack a
    /// leaf of `where`.
    skipped: Vec<String>,
    /// The version of the user's data; the sum of the versions of several users.
    version: u64,
    /// Statistics of the execution, with `explain=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explain: Option<Explain>,
}

/// The number and error of approximate rows.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Approximate {
    /// The number of rows with an approximate percentile.
    buckets: usize,
    /// The error of such a percentile, relative to the greater of the two values that it lies
    /// between.
    relative_error: f64,
    /// The error near zero.
    absolute_error: f64,
}

impl TimeseriesMetadata {
    /// Creates the metadata of an answer with `count` results; `cache` is the result of the cache
    /// lookup.
    pub(super) fn new(
        request: &AggregateRequest,
        answer: &AggregateAnswer,
        count: usize,
        cache: &'static str,
    ) -> Self {
        let spec = &request.spec;
        let users: Vec<_> = spec.users.iter().map(|u| u.0).collect();
        let calendar = spec.axis.calendar().map(|_| &request.calendar);
        Self {
            count,
            interval: request.interval.clone(),
            agg_func: names(&spec.functions),
            user_id: match users.as_slice() {
                [one] => json!(one),
                several => json!(several),
            },
            session_id: spec.session_id.map(|s| s.0),
            series: request.series.clone(),
            start_time: request.calendar.label(spec.range.start),
            end_time: request.calendar.label(spec.range.end),
            tz: calendar.map(|c| c.zone_name().to_owned()),
            week_start: calendar.map(|c| c.week_start().name().to_owned()),
            r#where: spec.filter.as_ref().map(ToString::to_string),
            align: if calendar.is_some() {
                "calendar"
            } else {
                "session"
            },
            group_by: match spec.group_by {
                GroupBy::Nothing => None,
                GroupBy::User => Some("user"),
                GroupBy::Session => Some("session"),
            },
            over: (!spec.over.is_empty()).then(|| names(&spec.over)),
            fill: spec.fill.name(),
            fill_lookback: spec
                .lookback
                .filter(|_| spec.fill != Fill::None)
                .map(|l| l.to_string()),
            accuracy: if spec.accuracy == Accuracy::Exact {
                "exact"
            } else {
                "approx"
            },
            approximate: (answer.approximate > 0).then_some(Approximate {
                buckets: answer.approximate,
                relative_error: RELATIVE_ERROR,
                absolute_error: ABSOLUTE_ERROR,
            }),
            skipped: answer.skipped.clone(),
            version: answer.version,
            explain: spec.explain.then(|| Explain::new(&answer.stats, cache)),
        }
    }
}

fn names(functions: &[time_series_domain::query::AggFunction]) -> String {
    functions
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// Statistics by source: whole days from day summaries, other ranges from blocks, and blocks that a
/// bucket edge cuts from their arrays.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Explain {
    /// The result of the cache lookup. A cached answer has no statistics.
    cache: &'static str,
    days: Days,
    blocks: Blocks,
    seconds: Seconds,
}

/// Day summaries that were read.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Days {
    /// Windows of whole days.
    windows: usize,
    /// Rows that the database returned.
    rows: u64,
}

/// Blocks that were read.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Blocks {
    /// Time ranges in which blocks were read.
    stretches: usize,
    /// Blocks of which only the summaries were read.
    summaries: u64,
    /// Blocks whose arrays were read.
    arrays: u64,
    /// Points in these arrays.
    points: u64,
}

/// Seconds per stage.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Seconds {
    /// Planning.
    plan: f64,
    /// Waiting for the database.
    read: f64,
    /// Folding rows into buckets.
    fold: f64,
    /// Computing the figures.
    finish: f64,
}

impl Explain {
    const fn new(stats: &QueryStats, cache: &'static str) -> Self {
        Self {
            cache,
            days: Days {
                windows: stats.windows,
                rows: stats.day_rows,
            },
            blocks: Blocks {
                stretches: stats.ranges,
                summaries: stats.block_summaries,
                arrays: stats.block_arrays,
                points: stats.points,
            },
            seconds: Seconds {
                plan: stats.plan.as_secs_f64(),
                read: stats.read.as_secs_f64(),
                fold: stats.fold.as_secs_f64(),
                finish: stats.finish.as_secs_f64(),
            },
        }
    }
}
