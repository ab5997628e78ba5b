//! The parameters of an aggregate query, parsed into what the domain asks.

use time_series_domain::fingerprint::{Fingerprint, FingerprintHasher, Fingerprinted};
use time_series_domain::query::{
    Accuracy, AggFunction, AggregateQuery, Axis, Fill, GroupBy, Lookback, Offsets, ValueFilter,
};
use time_series_domain::text::echo;
use time_series_domain::{
    Calendar, Interval, SeriesSelector, SessionId, Timestamp, UserId, Weekday,
};
use uuid::Uuid;

use crate::format::{End, Format};
use crate::problem::Problem;
use crate::request::{QueryParams, TimeParam, check_range, clash, read_filter, read_selector};

const DEFAULT_DAYS: i64 = 7;
const MOST_FUNCTIONS: usize = 32;

/// The parameters as parsed; what could not be has its fault in the pairs.
pub(crate) struct Parsed {
    users: Vec<Uuid>,
    session_id: Option<Uuid>,
    /// As they were given, to be echoed.
    series: Vec<String>,
    interval: Option<String>,
    selector: SeriesSelector,
    /// Of the zone; where `align` is `session`, for dates only.
    calendar: Option<Calendar>,
    offsets: Option<Offsets>,
    start: Option<TimeParam>,
    end: Option<TimeParam>,
    functions: Vec<AggFunction>,
    group_by: GroupBy,
    over: Vec<AggFunction>,
    filter: Option<ValueFilter>,
    fill: Fill,
    lookback: Option<Lookback>,
    accuracy: Accuracy,
    output: Output,
    end_mark: End,
    explain: bool,
    pub(super) min_version: Option<u64>,
    pub(super) format: Option<Format>,
}

/// How rows are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// A value a row, leaves nested.
    Nested,
    /// A row a leaf.
    Flat,
    /// An array a leaf.
    Columns,
}

/// A query, and what was asked as it was asked, to be echoed.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) query: AggregateQuery,
    pub(super) interval: String,
    pub(super) series: Vec<String>,
    pub(super) output: Output,
    pub(super) end: End,
    pub(super) calendar: Calendar,
    /// The range depends on now, which is another instant for every query.
    pub(super) until_now: bool,
}

impl Asked {
    /// Returns the fingerprint of how the answer is rendered: of all that it shows besides the query's own parts.
    pub(super) fn render_key(&self, format: Format, edition: &Fingerprint) -> Fingerprint {
        // `until_now` decides whether the answer is kept, not what it shows.
        let Self {
            query: _,
            interval,
            series,
            output,
            end,
            calendar,
            until_now: _,
        } = self;
        let mut hasher = FingerprintHasher::new("aggregate rendering");
        hasher
            .field("interval", interval)
            .field("series", series)
            .field("output", output)
            .field("end", end)
            .field("calendar", calendar)
            .field("format", &format)
            .field("edition", edition);
        hasher.finish()
    }
}

impl Fingerprinted for Output {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        hasher.variant(match self {
            Self::Nested => "nested",
            Self::Flat => "flat",
            Self::Columns => "columns",
        });
    }
}

impl Parsed {
    pub(super) fn read(pairs: &mut QueryParams) -> Self {
        let interval = pairs.read("interval", Interval::parse);
        let given_interval = pairs.all("interval").first().map(|text| (*text).to_owned());
        let weekday =
            |text: &str| Weekday::parse(text).ok_or("is not a weekday; use monday to sunday");
        let week_start = pairs.read("week_start", weekday).unwrap_or_default();
        let by_session = pairs
            .word("align", &[("calendar", false), ("session", true)])
            .unwrap_or(false);
        let over = read_functions(pairs, "over");
        if over.contains(&AggFunction::TimeAvg) {
            clash(
                pairs,
                "over",
                "cannot be time_avg: the values of groups hold for no time",
            );
        }
        let groups = [("session", GroupBy::Session), ("user", GroupBy::User)];
        let implied = if over.is_empty() {
            GroupBy::Nothing
        } else {
            GroupBy::Session
        };
        let group_by = pairs.word("group_by", &groups).unwrap_or(implied);
        let by_default = match group_by {
            GroupBy::Session if over.is_empty() => Interval::All,
            _ => Interval::Weeks(1),
        };
        let calendar_interval = interval.unwrap_or(by_default);
        let calendar = pairs.read("tz", |zone| {
            Calendar::new(calendar_interval, zone, week_start)
        });
        let calendar =
            calendar.or_else(|| Calendar::new(calendar_interval, "UTC", week_start).ok());
        let offsets = if by_session {
            read_offsets(pairs, interval, given_interval.is_some())
        } else {
            None
        };
        let (fill, lookback) = read_fill(pairs, by_session);
        let (selector, series) = read_selector(pairs);
        let users = pairs.required_uuids("user_id");
        let min_version = pairs.number("min_version", &0, &u64::MAX);
        if min_version.is_some() && users.len() > 1 {
            clash(
                pairs,
                "min_version",
                "is of one user's data; ask for one user_id",
            );
        }
        Self {
            users,
            session_id: pairs.uuid("session_id"),
            series,
            interval: given_interval,
            selector,
            calendar,
            offsets,
            start: pairs.read("start_time", TimeParam::read),
            end: pairs.read("end_time", TimeParam::read),
            functions: or_avg(read_functions(pairs, "agg_func")),
            group_by,
            over,
            filter: read_filter(pairs),
            fill,
            lookback,
            accuracy: pairs
                .word(
                    "accuracy",
                    &[("exact", Accuracy::Exact), ("approx", Accuracy::Approx)],
                )
                .unwrap_or_default(),
            output: read_output(pairs),
            end_mark: End::from_query(pairs),
            explain: pairs.flag("explain"),
            min_version,
            format: Format::from_query(pairs, &Format::ALL),
        }
    }

    /// Whether this asks for several users' data.
    pub(super) const fn asks_for_many(&self) -> bool {
        self.users.len() > 1
    }

    /// The query that these parameters ask at the moment `now`.
    pub(super) fn ask(self, now: Timestamp) -> Result<Asked, Problem> {
        let calendar = self
            .calendar
            .ok_or_else(|| Problem::parameter("tz", "is not an IANA time zone"))?;
        let until_now = self.end.is_none()
            || [&self.start, &self.end]
                .into_iter()
                .flatten()
                .any(TimeParam::is_relative);
        let end = self
            .end
            .map(|end| end.resolve("end_time", &calendar, now))
            .transpose()?;
        let start = self
            .start
            .map(|start| start.resolve("start_time", &calendar, now))
            .transpose()?;
        let (end, end_words) = end.map_or((now, "now, the default of end_time"), |end| {
            (end, "end_time")
        });
        let start = start.unwrap_or_else(|| end.plus_days(-DEFAULT_DAYS));
        check_range(start, end, end_words, |t| calendar.label(t))?;
        let interval = self.interval.unwrap_or_else(|| match calendar.interval() {
            Interval::All => "all".to_owned(),
            _ => "week".to_owned(),
        });
        Ok(Asked {
            until_now,
            interval,
            series: self.series,
            output: self.output,
            end: self.end_mark,
            query: AggregateQuery {
                users: self.users.into_iter().map(UserId).collect(),
                session_id: self.session_id.map(SessionId),
                selector: self.selector,
                range: start..end,
                filter: self.filter,
                axis: self
                    .offsets
                    .map_or_else(|| Axis::Calendar(calendar.clone()), Axis::SinceStart),
                functions: self.functions,
                group_by: self.group_by,
                over: self.over,
                fill: self.fill,
                lookback: self.lookback,
                accuracy: self.accuracy,
                explain: self.explain,
            },
            calendar,
        })
    }
}

fn read_functions(pairs: &mut QueryParams, name: &str) -> Vec<AggFunction> {
    let functions = pairs.read(name, |text| {
        let mut functions: Vec<AggFunction> = Vec::new();
        for name in text.split(',') {
            let function =
                AggFunction::parse(name.trim()).map_err(|e| format!("{:?} {e}", echo(name)))?;
            if !functions.contains(&function) {
                functions.push(function);
            }
            if functions.len() > MOST_FUNCTIONS {
                return Err(format!(
                    "has more than {MOST_FUNCTIONS} functions; ask for the others in another query"
                ));
            }
        }
        Ok::<_, String>(functions)
    });
    functions.unwrap_or_default()
}

fn or_avg(functions: Vec<AggFunction>) -> Vec<AggFunction> {
    if functions.is_empty() {
        vec![AggFunction::Avg]
    } else {
        functions
    }
}

/// The steps of the session's axis, which has no calendar.
fn read_offsets(
    pairs: &mut QueryParams,
    interval: Option<Interval>,
    is_given: bool,
) -> Option<Offsets> {
    for name in ["tz", "week_start"] {
        if !pairs.all(name).is_empty() {
            clash(
                pairs,
                name,
                "has no meaning with align=session, which counts from each session's start",
            );
        }
    }
    let offsets = interval.and_then(Offsets::new);
    if offsets.is_none() && (interval.is_some() || !is_given) {
        clash(
            pairs,
            "interval",
            "must be of seconds, minutes or hours with align=session, such as 5m",
        );
    }
    offsets
}

fn read_fill(pairs: &mut QueryParams, by_session: bool) -> (Fill, Option<Lookback>) {
    let words: Vec<(&str, Fill)> = Fill::ALL.iter().map(|f| (f.name(), *f)).collect();
    let fill = pairs.word("fill", &words);
    let lookback = pairs.read("fill_lookback", Lookback::parse);
    if lookback.is_some() && by_session {
        clash(pairs, "fill_lookback", "has no meaning with align=session");
    } else if lookback.is_some() && fill.unwrap_or_default() == Fill::None {
        clash(
            pairs,
            "fill_lookback",
            "needs fill=null, zero, previous or linear",
        );
    }
    (fill.unwrap_or_default(), lookback)
}

fn read_output(pairs: &mut QueryParams) -> Output {
    let flat = pairs
        .word("shape", &[("nested", false), ("flat", true)])
        .unwrap_or(false);
    let columns = pairs
        .word("layout", &[("rows", false), ("columns", true)])
        .unwrap_or(false);
    if columns && flat {
        clash(
            pairs,
            "layout",
            "is columns, which have no rows to be flat; leave out shape=flat or layout=columns",
        );
    }
    match (columns, flat) {
        (true, _) => Output::Columns,
        (false, true) => Output::Flat,
        (false, false) => Output::Nested,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        let calendar = Calendar::new(Interval::Days(1), "UTC", Weekday::Monday).expect("a zone");
        let range = Timestamp::from_micros(0)..Timestamp::from_micros(1);
        Asked {
            query: AggregateQuery::new(UserId(Uuid::from_u128(1)), calendar.clone(), range),
            interval: "day".to_owned(),
            series: vec!["a".to_owned(), "b".to_owned()],
            output: Output::Nested,
            end: End::Record,
            calendar,
            until_now: false,
        }
    }

    fn edition(text: &str) -> Fingerprint {
        FingerprintHasher::new("test")
            .field("edition", text)
            .finish()
    }

    #[test]
    fn every_part_of_the_rendering_changes_its_key() {
        let zone = |name| Calendar::new(Interval::Days(1), name, Weekday::Monday).expect("a zone");
        let key = |asked: &Asked| asked.render_key(Format::Json, &edition("1"));
        let mut keys = vec![
            key(&asked()),
            key(&Asked {
                interval: "1d".to_owned(),
                ..asked()
            }),
            key(&Asked {
                series: vec!["a,b".to_owned()],
                ..asked()
            }),
            key(&Asked {
                series: Vec::new(),
                ..asked()
            }),
            key(&Asked {
                output: Output::Flat,
                ..asked()
            }),
            key(&Asked {
                output: Output::Columns,
                ..asked()
            }),
            key(&Asked {
                end: End::None,
                ..asked()
            }),
            key(&Asked {
                calendar: zone("Asia/Tokyo"),
                ..asked()
            }),
            asked().render_key(Format::Json, &edition("2")),
        ];
        keys.extend(
            Format::ALL[1..]
                .iter()
                .map(|format| asked().render_key(*format, &edition("1"))),
        );
        let different: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len(), "{keys:?}");
        assert_eq!(
            key(&asked()),
            key(&Asked {
                until_now: true,
                ..asked()
            }),
            "only whether it is kept"
        );
    }
}
