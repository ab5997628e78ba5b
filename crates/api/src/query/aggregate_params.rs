//! The parsed parameters of an aggregate query, and their resolution into a request.

use time_series_domain::query::{
    Accuracy, AggFunction, AggregateSpec, Axis, Fill, GroupBy, Lookback, Offsets, ValueFilter,
};
use time_series_domain::text::echo;
use time_series_domain::{
    Calendar, Interval, SeriesSelector, SessionId, Timestamp, UserId, Weekday,
};
use uuid::Uuid;

use super::request::{AggregateRequest, Output};
use crate::format::{End, Format};
use crate::problem::Problem;
use crate::request::{QueryParams, TimeParam, check_range, clash, read_filter, read_selector};

/// Default length of the range, in days.
const DEFAULT_DAYS: i64 = 7;
/// Maximum functions of one query.
const MAX_FUNCTIONS: usize = 32;

/// The parsed parameters. The faults of invalid ones are recorded in the pairs.
pub(crate) struct AggregateParams {
    users: Vec<Uuid>,
    session_id: Option<Uuid>,
    /// The series parameters as given, which the answer echoes.
    series: Vec<String>,
    interval: Option<String>,
    selector: SeriesSelector,
    /// The calendar of the time zone; with `align=session` it is used only to parse dates.
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

impl AggregateParams {
    /// Parses the parameters.
    pub(super) fn read(params: &mut QueryParams) -> Self {
        let interval = params.read("interval", Interval::parse);
        let given_interval = params
            .all("interval")
            .first()
            .map(|text| (*text).to_owned());
        let weekday =
            |text: &str| Weekday::parse(text).ok_or("is not a weekday; use monday to sunday");
        let week_start = params.read("week_start", weekday).unwrap_or_default();
        let by_session = params
            .word("align", &[("calendar", false), ("session", true)])
            .unwrap_or(false);
        let over = read_functions(params, "over");
        if over.contains(&AggFunction::TimeAvg) {
            clash(
                params,
                "over",
                "cannot be time_avg: the values of groups have no duration",
            );
        }
        let groups = [("session", GroupBy::Session), ("user", GroupBy::User)];
        let implied = if over.is_empty() {
            GroupBy::Nothing
        } else {
            GroupBy::Session
        };
        let group_by = params.word("group_by", &groups).unwrap_or(implied);
        let by_default = match group_by {
            GroupBy::Session if over.is_empty() => Interval::All,
            _ => Interval::Weeks(1),
        };
        let calendar_interval = interval.unwrap_or(by_default);
        let calendar = params.read("tz", |zone| {
            Calendar::new(calendar_interval, zone, week_start)
        });
        let calendar =
            calendar.or_else(|| Calendar::new(calendar_interval, "UTC", week_start).ok());
        let offsets = if by_session {
            read_offsets(params, interval, given_interval.is_some())
        } else {
            None
        };
        let (fill, lookback) = read_fill(params, by_session);
        let (selector, series) = read_selector(params);
        let users = params.required_uuids("user_id");
        let min_version = params.number("min_version", &0, &u64::MAX);
        if min_version.is_some() && users.len() > 1 {
            clash(
                params,
                "min_version",
                "is of one user's data; ask for one user_id",
            );
        }
        Self {
            users,
            session_id: params.uuid("session_id"),
            series,
            interval: given_interval,
            selector,
            calendar,
            offsets,
            start: params.read("start_time", TimeParam::read),
            end: params.read("end_time", TimeParam::read),
            functions: or_avg(read_functions(params, "agg_func")),
            group_by,
            over,
            filter: read_filter(params),
            fill,
            lookback,
            accuracy: params
                .word(
                    "accuracy",
                    &[("exact", Accuracy::Exact), ("approx", Accuracy::Approx)],
                )
                .unwrap_or_default(),
            output: read_output(params),
            end_mark: End::from_query(params),
            explain: params.flag("explain"),
            min_version,
            format: Format::from_query(params, &Format::ALL),
        }
    }

    /// Returns whether the parameters name several users.
    pub(super) const fn has_many_users(&self) -> bool {
        self.users.len() > 1
    }

    /// Resolves the parameters at the time `now`.
    pub(super) fn resolve(self, now: Timestamp) -> Result<AggregateRequest, Problem> {
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
        let (end, end_name) = end.map_or((now, "now, the default of end_time"), |end| {
            (end, "end_time")
        });
        let start = start.unwrap_or_else(|| end.plus_days(-DEFAULT_DAYS));
        check_range(start, end, end_name, |t| calendar.label(t))?;
        let interval = self.interval.unwrap_or_else(|| match calendar.interval() {
            Interval::All => "all".to_owned(),
            _ => "week".to_owned(),
        });
        Ok(AggregateRequest {
            until_now,
            interval,
            series: self.series,
            output: self.output,
            end: self.end_mark,
            spec: AggregateSpec {
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

fn read_functions(params: &mut QueryParams, name: &str) -> Vec<AggFunction> {
    let functions = params.read(name, |text| {
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

/// Parses the steps of a session's axis, which has no calendar.
fn read_offsets(
    params: &mut QueryParams,
    interval: Option<Interval>,
    is_given: bool,
) -> Option<Offsets> {
    for name in ["tz", "week_start"] {
        if !params.all(name).is_empty() {
            clash(
                params,
                name,
                "has no meaning with align=session, which counts from each session's start",
            );
        }
    }
    let offsets = interval.and_then(Offsets::new);
    if offsets.is_none() && (interval.is_some() || !is_given) {
        clash(
            params,
            "interval",
            "must be of seconds, minutes or hours with align=session, such as 5m",
        );
    }
    offsets
}

fn read_fill(params: &mut QueryParams, by_session: bool) -> (Fill, Option<Lookback>) {
    let names: Vec<(&str, Fill)> = Fill::ALL.iter().map(|f| (f.name(), *f)).collect();
    let fill = params.word("fill", &names);
    let lookback = params.read("fill_lookback", Lookback::parse);
    if lookback.is_some() && by_session {
        clash(params, "fill_lookback", "has no meaning with align=session");
    } else if lookback.is_some() && fill.unwrap_or_default() == Fill::None {
        clash(
            params,
            "fill_lookback",
            "needs fill=null, zero, previous or linear",
        );
    }
    (fill.unwrap_or_default(), lookback)
}

fn read_output(params: &mut QueryParams) -> Output {
    let flat = params
        .word("shape", &[("nested", false), ("flat", true)])
        .unwrap_or(false);
    let columns = params
        .word("layout", &[("rows", false), ("columns", true)])
        .unwrap_or(false);
    if columns && flat {
        clash(
            params,
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
