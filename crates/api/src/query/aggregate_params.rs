//! The parsed parameters of an aggregate query, and their resolution into a request.

use apistos::reference_or::ReferenceOr;
use apistos::{ApiComponent, Schema};
use time_series_domain::query::{
    Accuracy, AggFunction, AggregateSpec, Axis, Fill, GroupBy, Lookback, Offsets, ValueFilter,
};
use time_series_domain::{Calendar, Interval, SeriesSelector, SessionId, Timestamp, UserId};
use uuid::Uuid;

use super::params::{
    ACCURACY, AGG_FUNC, ALIGN, END_TIME, EXPLAIN, FILL, FILL_LOOKBACK, GROUP_BY, INTERVAL, OVER,
    SESSION_ID, START_TIME, TZ, USER_ID, WEEK_START,
};
use super::request::AggregateRequest;
use crate::format::{END, End, FORMAT, Format};
use crate::problem::Problem;
use crate::request::{
    FromQuery, IS_COLUMNS, IS_FLAT, MIN_VERSION, Output, Parameter, QueryParams, SERIES,
    SERIES_MODE, TimeParam, WHERE, check_range, clash, object_schema, read_output, read_selector,
};

/// Default length of the range, in days.
const DEFAULT_DAYS: i64 = 7;

/// The parameters of an aggregate query.
pub(crate) struct TimeseriesParams;

impl FromQuery for TimeseriesParams {
    type Parsed = AggregateParams;

    const PARAMETERS: &'static [&'static dyn Parameter] = &[
        &USER_ID,
        &SESSION_ID,
        &SERIES,
        &SERIES_MODE,
        &INTERVAL,
        &START_TIME,
        &END_TIME,
        &AGG_FUNC,
        &TZ,
        &WEEK_START,
        &WHERE,
        &ALIGN,
        &GROUP_BY,
        &OVER,
        &FILL,
        &FILL_LOOKBACK,
        &ACCURACY,
        &FORMAT,
        &END,
        &IS_FLAT,
        &IS_COLUMNS,
        &MIN_VERSION,
        &EXPLAIN,
    ];

    fn from_query(params: &mut QueryParams) -> AggregateParams {
        AggregateParams::read(params)
    }
}

/// The parameters as members of a JSON object.
impl ApiComponent for TimeseriesParams {
    fn child_schemas() -> Vec<(String, ReferenceOr<Schema>)> {
        Vec::new()
    }

    fn schema() -> Option<(String, ReferenceOr<Schema>)> {
        let schema = object_schema(Self::PARAMETERS, "The parameters of an aggregate query.");
        Some(("TimeseriesParams".to_owned(), ReferenceOr::Object(schema)))
    }
}

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
        let interval = INTERVAL.read(params);
        let given_interval = INTERVAL.sent(params);
        let week_start = WEEK_START.read(params).unwrap_or_default();
        let by_session = ALIGN.read(params).unwrap_or(false);
        let over = OVER.read(params).unwrap_or_default();
        if over.contains(&AggFunction::TimeAvg) {
            clash(
                params,
                "over",
                "cannot be time_avg: the values of groups have no duration",
            );
        }
        let implied = if over.is_empty() {
            GroupBy::Nothing
        } else {
            GroupBy::Session
        };
        let group_by = GROUP_BY.read(params).unwrap_or(implied);
        let by_default = match group_by {
            GroupBy::Session if over.is_empty() => Interval::All,
            _ => Interval::Weeks(1),
        };
        let calendar_interval = interval.unwrap_or(by_default);
        let calendar = params.read(TZ.name(), |zone| {
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
        let users = USER_ID.read_list(params);
        let min_version = MIN_VERSION.read(params);
        if min_version.is_some() && users.len() > 1 {
            clash(
                params,
                "min_version",
                "is of one user's data; ask for one user_id",
            );
        }
        Self {
            users,
            session_id: SESSION_ID.read(params),
            series,
            interval: given_interval,
            selector,
            calendar,
            offsets,
            start: START_TIME.read(params),
            end: END_TIME.read(params),
            functions: or_avg(AGG_FUNC.read(params)),
            group_by,
            over,
            filter: WHERE.read(params),
            fill,
            lookback,
            accuracy: ACCURACY.read(params).unwrap_or_default(),
            output: read_output(params),
            end_mark: END.read(params).unwrap_or_default(),
            explain: EXPLAIN.read(params),
            min_version,
            format: FORMAT.read(params),
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

fn or_avg(functions: Option<Vec<AggFunction>>) -> Vec<AggFunction> {
    match functions {
        Some(functions) if !functions.is_empty() => functions,
        _ => vec![AggFunction::Avg],
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
    let fill = FILL.read(params);
    let lookback = FILL_LOOKBACK.read(params);
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

#[cfg(test)]
mod tests {
    use time_series_domain::Timestamp;

    use super::*;
    use crate::request::fuzz::fuzz_query_strings;

    #[test]
    fn no_query_string_panics_and_problems_are_bounded() {
        for now in [Timestamp::MIN, Timestamp::EPOCH, Timestamp::MAX] {
            fuzz_query_strings::<TimeseriesParams>(|params| params.resolve(now).map(|_| ()));
        }
    }
}
