//! Declarations of the parameters of an aggregate query.

use time_series_domain::query::{Accuracy, AggFunction, Fill, GroupBy, Lookback};
use time_series_domain::text::echo;
use time_series_domain::{Interval, Weekday};

use crate::request::{Choice, Flag, Id, Text, Texts, TimeParam};

/// Maximum functions of one query.
const MAX_FUNCTIONS: usize = 32;

pub(super) static USER_ID: Id = Id::required_list(
    "user_id",
    "The user whose data are aggregated. Several users, comma-separated or repeated, are merged \
     unless `group_by=user`; only admins may name several.",
)
.example(r#"["d38834e0-fe46-4bf9-831d-1d5b125bdc9b"]"#);

pub(super) static SESSION_ID: Id = Id::optional("session_id", "Only this session.");

pub(super) static INTERVAL: Text<Interval> = Text::new(
    "interval",
    |text| Interval::parse(text).map_err(|e| e.to_string()),
    "Length of a bucket: `min`, `hour`, `day`, `week` (default), `month`, `quarter`, `year`, a \
     multiple (`30s`, `15m`, `6h`, `2w`, `3mo`), or `all`.",
)
.example("month");

pub(super) static START_TIME: Text<TimeParam> = Text::new(
    "start_time",
    TimeParam::read,
    "Points at or after this: RFC 3339, a date (its midnight in `tz`), milliseconds since 1970, \
     `now` or `now-7d` (s, m, h, d, w), from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z. \
     By default 168 hours before the end.",
)
.example("2025-01-01");

pub(super) static END_TIME: Text<TimeParam> = Text::new(
    "end_time",
    TimeParam::read,
    "Points before this: RFC 3339, a date (its midnight in `tz`), milliseconds since 1970, `now` \
     or `now-7d` (s, m, h, d, w), from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z. By \
     default now.",
)
.example("2025-02-01T00:00:00Z");

pub(super) static AGG_FUNC: Text<Vec<AggFunction>> = Text::new(
    "agg_func",
    parse_functions,
    "Functions to compute, comma-separated: `avg` (default), `min`, `max`, `count`, `sum`, \
     `first`, `last`, `stddev`, `range`, `median`, `p0` to `p100` with decimals (`p99.9`), \
     `mode`, `distinct`, `time_avg`.",
)
.example("avg,p90");

/// Parsed together with the interval and the first day of the week, into a calendar.
pub(super) static TZ: Texts = Texts::one("tz", "IANA time zone of the buckets; `UTC` by default.")
    .example("America/New_York");

pub(super) static WEEK_START: Choice<Weekday> = Choice::new(
    "week_start",
    &[
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ],
    "The day that weeks start on; `monday` by default.",
)
.example("sunday");

/// True for buckets of the time since each session's start.
pub(super) static ALIGN: Choice<bool> = Choice::new(
    "align",
    &[("calendar", false), ("session", true)],
    "`session`: buckets of the time since each session's start (`PT0S`, `PT5M`, …), for an \
     `interval` of seconds, minutes or hours. `calendar` by default.",
)
.example("calendar");

pub(super) static GROUP_BY: Choice<GroupBy> = Choice::new(
    "group_by",
    &[("session", GroupBy::Session), ("user", GroupBy::User)],
    "`session`: one row per session and series over the range, or per bucket if `interval` is \
     given. `user`: one row per user.",
)
.example("session");

pub(super) static OVER: Text<Vec<AggFunction>> = Text::new(
    "over",
    parse_functions,
    "Functions to compute of the values of the sessions (or users) of a bucket, comma-separated: \
     `median` of the sessions' means.",
)
.example("median");

pub(super) static FILL: Choice<Fill> = Choice::new(
    "fill",
    &[
        ("none", Fill::None),
        ("null", Fill::Null),
        ("zero", Fill::Zero),
        ("previous", Fill::Previous),
        ("linear", Fill::Linear),
    ],
    "Filling of buckets without a point, for series that have one: `none` (default), `null`, \
     `zero`, `previous`, `linear`.",
)
.example("previous");

pub(super) static FILL_LOOKBACK: Text<Lookback> = Text::new(
    "fill_lookback",
    |text| Lookback::parse(text).map_err(|e| e.to_string()),
    "The length of time before the range that `fill` searches for a known bucket: `12h`, `7d`, \
     `4w`.",
)
.example("7d");

pub(super) static ACCURACY: Choice<Accuracy> = Choice::new(
    "accuracy",
    &[("exact", Accuracy::Exact), ("approx", Accuracy::Approx)],
    "`approx`: percentiles of more values than the service retains come from a sketch, whose \
     relative error is in the metadata. `exact` by default.",
)
.example("approx");

pub(super) static EXPLAIN: Flag = Flag::new(
    "explain",
    "`true`: the metadata contain the statistics of the execution.",
)
.example("true");

fn parse_functions(text: &str) -> Result<Vec<AggFunction>, String> {
    let mut functions: Vec<AggFunction> = Vec::new();
    for name in text.split(',') {
        let function =
            AggFunction::parse(name.trim()).map_err(|e| format!("{:?} {e}", echo(name)))?;
        if !functions.contains(&function) {
            functions.push(function);
        }
        if functions.len() > MAX_FUNCTIONS {
            return Err(format!(
                "has more than {MAX_FUNCTIONS} functions; ask for the others in another query"
            ));
        }
    }
    Ok(functions)
}
