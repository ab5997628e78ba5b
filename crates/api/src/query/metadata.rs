//! What was asked, and what was taken where nothing was asked.

use serde::Serialize;
use serde_json::{Value, json};
use time_series_domain::query::{Accuracy, AggregateAnswer, Fill, GroupBy, RELATIVE_ERROR, Work};

use super::asked::Asked;

/// The metadata of an answer with `count` results; `cache` says what became of the cache.
pub(super) fn metadata(asked: &Asked, answer: &AggregateAnswer, count: usize, cache: &str) -> Value {
    let query = &asked.query;
    let users: Vec<_> = query.users.iter().map(|u| u.0).collect();
    let user_id = match users.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    let group_by = match query.group_by {
        GroupBy::Nothing => Value::Null,
        GroupBy::User => json!("user"),
        GroupBy::Session => json!("session"),
    };
    let mut metadata = json!({
        "count": count,
        "interval": asked.interval,
        "agg_func": names(&query.functions),
        "user_id": user_id,
        "session_id": query.session_id.map(|s| s.0),
        "series": asked.series,
        "start_time": asked.calendar.label(query.range.start),
        "end_time": asked.calendar.label(query.range.end),
        "where": query.filter.as_ref().map(ToString::to_string),
        "align": if query.axis.calendar().is_some() { "calendar" } else { "session" },
        "group_by": group_by,
        "over": (!query.over.is_empty()).then(|| names(&query.over)),
        "fill": query.fill.name(),
        "fill_lookback": query.lookback.filter(|_| query.fill != Fill::None).map(|l| l.to_string()),
        "accuracy": if query.accuracy == Accuracy::Exact { "exact" } else { "approx" },
        "skipped": answer.skipped,
        "version": answer.version,
    });
    if query.axis.calendar().is_some() {
        metadata["tz"] = json!(asked.calendar.zone_name());
        metadata["week_start"] = json!(asked.calendar.week_start().name());
    }
    if answer.approximate > 0 {
        metadata["approximate"] = json!({"buckets": answer.approximate, "relative_error": RELATIVE_ERROR});
    }
    if query.explain {
        metadata["explain"] = json!(Explain::new(&answer.work, cache));
    }
    metadata
}

fn names(functions: &[time_series_domain::query::AggFunction]) -> String {
    functions.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// What ran.
#[derive(Serialize)]
struct Explain<'a> {
    cache: &'a str,
    days: Days,
    blocks: Blocks,
    seconds: Seconds,
}

#[derive(Serialize)]
struct Days {
    windows: usize,
    rows: u64,
}

#[derive(Serialize)]
struct Blocks {
    stretches: usize,
    summaries: u64,
    arrays: u64,
    points: u64,
}

#[derive(Serialize)]
struct Seconds {
    plan: f64,
    read: f64,
    fold: f64,
    finish: f64,
}

impl<'a> Explain<'a> {
    const fn new(work: &Work, cache: &'a str) -> Self {
        Self {
            cache,
            days: Days { windows: work.windows, rows: work.day_rows },
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
