//! What was asked, and what was taken where nothing was asked.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time_series_domain::query::{
    ABSOLUTE_ERROR, Accuracy, AggregateAnswer, Fill, GroupBy, RELATIVE_ERROR, Work,
};

use uuid::Uuid;

use super::asked::Asked;

/// What was asked, and what was taken where nothing was asked.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct TimeseriesMetadata {
    /// How many results there are.
    count: usize,
    /// The bucket length asked for.
    interval: String,
    /// The functions asked for.
    agg_func: String,
    /// Whose data: one id, or an array of several.
    user_id: Value,
    /// The only session, or null.
    session_id: Option<Uuid>,
    /// The series parameters as they were given; empty for all.
    series: Vec<String>,
    /// Start of the range, included.
    start_time: String,
    /// End of the range, not included.
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
    /// What is told apart: `session`, `user` or null.
    group_by: Option<&'static str>,
    /// What was computed of the values of groups, or null.
    over: Option<String>,
    /// What stands in buckets without a point.
    fill: &'static str,
    /// How far back a known bucket was looked for, or null.
    fill_lookback: Option<String>,
    /// `exact` or `approx`: what was allowed.
    accuracy: &'static str,
    /// Which rows are approximate; absent where all are exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) approximate: Option<Approximate>,
    /// Series that a pattern selected but that have no numbers to aggregate, and those that lack a leaf of `where`.
    skipped: Vec<String>,
    /// The version of the user's data that this shows; of several users the sum.
    version: u64,
    /// What ran, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explain: Option<Explain>,
}

/// What is not exact.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Approximate {
    /// How many rows have an approximate percentile.
    buckets: usize,
    /// Such a percentile lies within this part of the greater of the two values that it lies between.
    relative_error: f64,
    /// … or within this, near zero.
    absolute_error: f64,
}

impl TimeseriesMetadata {
    /// Of an answer with `count` results; `cache` says what became of the cache.
    pub(super) fn new(
        asked: &Asked,
        answer: &AggregateAnswer,
        count: usize,
        cache: &'static str,
    ) -> Self {
        let query = &asked.query;
        let users: Vec<_> = query.users.iter().map(|u| u.0).collect();
        let calendar = query.axis.calendar().map(|_| &asked.calendar);
        Self {
            count,
            interval: asked.interval.clone(),
            agg_func: names(&query.functions),
            user_id: match users.as_slice() {
                [one] => json!(one),
                several => json!(several),
            },
            session_id: query.session_id.map(|s| s.0),
            series: asked.series.clone(),
            start_time: asked.calendar.label(query.range.start),
            end_time: asked.calendar.label(query.range.end),
            tz: calendar.map(|c| c.zone_name().to_owned()),
            week_start: calendar.map(|c| c.week_start().name().to_owned()),
            r#where: query.filter.as_ref().map(ToString::to_string),
            align: if calendar.is_some() {
                "calendar"
            } else {
                "session"
            },
            group_by: match query.group_by {
                GroupBy::Nothing => None,
                GroupBy::User => Some("user"),
                GroupBy::Session => Some("session"),
            },
            over: (!query.over.is_empty()).then(|| names(&query.over)),
            fill: query.fill.name(),
            fill_lookback: query
                .lookback
                .filter(|_| query.fill != Fill::None)
                .map(|l| l.to_string()),
            accuracy: if query.accuracy == Accuracy::Exact {
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
            explain: query.explain.then(|| Explain::new(&answer.work, cache)),
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

/// What ran, by level: whole days from day summaries, the rest from blocks, and of those that are cut the arrays.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Explain {
    /// Whether a cache was asked: an answer from a cache has nothing to explain.
    cache: &'static str,
    days: Days,
    blocks: Blocks,
    seconds: Seconds,
}

/// Day summaries that were read.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Days {
    /// Stretches of whole days.
    windows: usize,
    /// Rows that the database answered.
    rows: u64,
}

/// Blocks that were read.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Blocks {
    /// Stretches of time.
    stretches: usize,
    /// Blocks whose summaries were enough.
    summaries: u64,
    /// Blocks whose arrays were opened.
    arrays: u64,
    /// Points in those.
    points: u64,
}

/// Seconds by stage.
#[derive(Serialize, JsonSchema, ApiComponent)]
pub(crate) struct Seconds {
    /// Choosing the levels.
    plan: f64,
    /// Waiting for the database.
    read: f64,
    /// Merging into buckets.
    fold: f64,
    /// Computing the figures.
    finish: f64,
}

impl Explain {
    const fn new(work: &Work, cache: &'static str) -> Self {
        Self {
            cache,
            days: Days {
                windows: work.windows,
                rows: work.day_rows,
            },
            blocks: Blocks {
                stretches: work.stretches,
                summaries: work.block_summaries,
                arrays: work.block_arrays,
                points: work.points,
            },
            seconds: Seconds {
                plan: work.plan.as_secs_f64(),
                read: work.read.as_secs_f64(),
                fold: work.fold.as_secs_f64(),
                finish: work.finish.as_secs_f64(),
            },
        }
    }
}
