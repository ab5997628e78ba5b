//! The parameters of an aggregate query, parsed into what the domain asks.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde_json::{Value, json};
use time_series_domain::query::{AggFunction, AggregateQuery};
use time_series_domain::{
    Calendar, Interval, SelectorError, SeriesMode, SeriesSelector, SessionId, Timestamp, UserId, Weekday,
};
use uuid::Uuid;

use crate::problem::Problem;
use crate::request::{FromPairs, Pairs};

const DEFAULT_DAYS: i64 = 7;

/// What to aggregate.
#[derive(JsonSchema, ApiComponent)]
#[expect(dead_code, reason = "documents what Parsed holds")]
pub(crate) struct TimeseriesParams {
    /// Whose data.
    user_id: Uuid,
    /// Only this session.
    session_id: Option<Uuid>,
    /// Which series; all by default. Comma-separated and repeatable. A name is exact; a part with `*` is a glob over the whole name; anything else (`^session\.`) is one regular expression, searched in the name.
    series: Option<Vec<String>>,
    /// How `series` is read: `exact`, `glob` or `regex` (commas belong to the expression). By default its characters tell.
    series_mode: Option<String>,
    /// Length of a bucket: `min`, `hour`, `day`, `week` (default), `month`, `quarter`, `year`, a multiple (`30s`, `15m`, `6h`, `2w`, `3mo`), or `all`.
    interval: Option<String>,
    /// Points at or after this: RFC 3339, or a date (its midnight in `tz`). By default 168 hours before the end.
    start_time: Option<String>,
    /// Points before this: RFC 3339, or a date (its midnight in `tz`). By default now.
    end_time: Option<String>,
    /// What to compute, comma-separated: `avg` (default), `min`, `max`, `count`, `sum`, `first`, `last`, `stddev`.
    agg_func: Option<String>,
    /// IANA time zone of the buckets; `UTC` by default.
    tz: Option<String>,
    /// The day that weeks start on; `monday` by default.
    week_start: Option<String>,
}

/// The parameters as parsed; what could not be has its fault in the pairs.
pub(crate) struct Parsed {
    user_id: Uuid,
    session_id: Option<Uuid>,
    /// As they were given, to be echoed.
    series: Vec<String>,
    interval: Option<String>,
    selector: SeriesSelector,
    calendar: Option<Calendar>,
    start: Option<When>,
    end: Option<When>,
    functions: Vec<AggFunction>,
}

/// An instant, or a date whose instant depends on the zone.
enum When {
    Instant(Timestamp),
    Date(String),
}

/// A query, and what was asked as it was asked, to be echoed.
pub(super) struct Asked {
    pub(super) query: AggregateQuery,
    pub(super) interval: String,
    pub(super) agg_func: String,
    pub(super) series: Vec<String>,
    /// The range ends now, at another instant for every query.
    pub(super) until_now: bool,
}

impl FromPairs for TimeseriesParams {
    type Parsed = Parsed;

    const NAMES: &'static [&'static str] = &[
        "user_id",
        "session_id",
        "series",
        "series_mode",
        "interval",
        "start_time",
        "end_time",
        "agg_func",
        "tz",
        "week_start",
    ];

    fn examples() -> Vec<(&'static str, Value)> {
        vec![
            ("user_id", json!("d38834e0-fe46-4bf9-831d-1d5b125bdc9b")),
            ("series", json!(["session.gut_health_score", "session.urine.*"])),
            ("interval", json!("month")),
            ("start_time", json!("2025-01-01")),
            ("end_time", json!("2025-02-01T00:00:00Z")),
            ("agg_func", json!("avg,max")),
            ("tz", json!("America/New_York")),
            ("week_start", json!("sunday")),
        ]
    }

    fn from_pairs(pairs: &mut Pairs) -> Parsed {
        let interval = pairs.read("interval", Interval::parse);
        let week_start =
            pairs.read("week_start", |text| Weekday::parse(text).ok_or("is not a weekday; use monday to sunday"));
        let interval = interval.unwrap_or(Interval::Weeks(1));
        let week_start = week_start.unwrap_or_default();
        let calendar = pairs.read("tz", |zone| Calendar::new(interval, zone, week_start));
        let calendar = calendar.or_else(|| Calendar::new(interval, "UTC", week_start).ok());
        Parsed {
            user_id: pairs.required_uuid("user_id"),
            session_id: pairs.uuid("session_id"),
            series: pairs.all("series").into_iter().map(str::to_owned).collect(),
            interval: pairs.all("interval").first().map(|text| (*text).to_owned()),
            selector: read_selector(pairs),
            calendar,
            start: pairs.read("start_time", read_when),
            end: pairs.read("end_time", read_when),
            functions: read_functions(pairs),
        }
    }
}

fn read_selector(pairs: &mut Pairs) -> SeriesSelector {
    let mode = pairs.read("series_mode", |text| match text {
        "exact" => Ok(SeriesMode::Exact),
        "glob" => Ok(SeriesMode::Glob),
        "regex" => Ok(SeriesMode::Regex),
        _ => Err("must be exact, glob or regex; leave it out to let the characters of series tell"),
    });
    let selector = SeriesSelector::parse(&pairs.all("series"), mode.unwrap_or_default());
    selector.unwrap_or_else(|e: SelectorError| {
        pairs.fault("series", "invalid_parameter", e);
        SeriesSelector::all()
    })
}

fn read_functions(pairs: &mut Pairs) -> Vec<AggFunction> {
    let functions = pairs.read("agg_func", |text| {
        let mut functions: Vec<AggFunction> = Vec::new();
        for name in text.split(',') {
            let function = AggFunction::parse(name.trim()).map_err(|e| format!("{name:?} {e}"))?;
            if !functions.contains(&function) {
                functions.push(function);
            }
        }
        Ok::<_, String>(functions)
    });
    functions.unwrap_or_else(|| vec![AggFunction::Avg])
}

fn read_when(text: &str) -> Result<When, String> {
    let is_date = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if is_date {
        return Ok(When::Date(text.to_owned()));
    }
    Timestamp::parse_rfc3339(text).map(When::Instant).map_err(|e| {
        let hint = if text.contains(' ') { " (in a URL, write + as %2B)" } else { "" };
        format!("{e}, nor a date such as 2025-01-01{hint}")
    })
}

impl Parsed {
    /// The query that these parameters ask at the moment `now`.
    pub(super) fn ask(self, now: Timestamp) -> Result<Asked, Problem> {
        let calendar = self.calendar.ok_or_else(|| Problem::parameter("tz", "is not an IANA time zone"))?;
        let end = self.end.map(|end| end.resolve("end_time", &calendar)).transpose()?;
        let start = self.start.map(|start| start.resolve("start_time", &calendar)).transpose()?;
        let until_now = end.is_none();
        let (end, end_words) = end.map_or((now, "now, the default of end_time"), |end| (end, "end_time"));
        let start = start.unwrap_or_else(|| end.plus_days(-DEFAULT_DAYS));
        if start >= end {
            let message =
                format!("must lie before {end_words}: {} is not before {}", calendar.label(start), calendar.label(end));
            return Err(Problem::parameter("start_time", message));
        }
        let names: Vec<&str> = self.functions.iter().map(|f| f.name()).collect();
        Ok(Asked {
            until_now,
            agg_func: names.join(","),
            interval: self.interval.unwrap_or_else(|| "week".to_owned()),
            series: self.series,
            query: AggregateQuery {
                user_id: UserId(self.user_id),
                session_id: self.session_id.map(SessionId),
                selector: self.selector,
                calendar,
                range: start..end,
                functions: self.functions,
            },
        })
    }
}

impl When {
    fn resolve(self, name: &str, calendar: &Calendar) -> Result<Timestamp, Problem> {
        match self {
            Self::Instant(t) => Ok(t),
            Self::Date(text) => calendar
                .parse_date(&text)
                .ok_or_else(|| Problem::parameter(name, format!("{text:?} is not a date of the calendar"))),
        }
    }
}
