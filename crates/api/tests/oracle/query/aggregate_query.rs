//! Aggregate queries with their URL parameters and their meaning to the model.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::fixture::calendar::{Calendar, DAY, Interval, SECOND, Step, WEEKDAYS, zone};
use crate::fixture::metric_type::MetricType;
use crate::fixture::session::Point;
use crate::generate::operation::SLOTS;
use crate::generate::time_span::{LATEST, TimeSpan};
use crate::model::aggregate::{Fill, GroupBy, Query, UserSessions};
use crate::model::axis::Axis;
use crate::model::functions::are_text_functions;
use crate::query::aggregate_spec::{
    ALIGNED_INTERVALS, AggregateSpec, SessionFilter, UserSelection,
};
use crate::query::condition::add_conditions;
use crate::query::parameters::Parameters;
use crate::query::series::{MATCHES_NOTHING, add_series, is_selected};
use crate::runner::user_state::{UserState, session_id};

/// Maximum rows of an answer with filled gaps, roughly.
const MAX_FILLED_ROWS: i64 = 6_000;

/// Maximum buckets of other answers; more would only take time.
const MAX_BUCKETS: i64 = 60_000;

/// The range of a query without a start.
const DEFAULT_RANGE: i64 = 168 * 3_600 * SECOND;

/// An aggregate query. The indices of the selected metric types in `query` are still to be set.
pub(crate) struct AggregateQuery<'a> {
    /// In the notation of `SELECTIONS`.
    pub(crate) selection: &'a str,
    pub(crate) query: Query<'a>,
    pub(crate) parameters: Parameters,
}

impl<'a> AggregateQuery<'a> {
    pub(crate) fn new(
        states: &'a [UserState],
        time_span: &TimeSpan,
        spec: &AggregateSpec,
        catalogue: &'a [MetricType],
    ) -> Self {
        let states = selected_states(states, &spec.users);
        let (selection, points) = selected_series(spec, &states, catalogue);
        let mut parameters = Parameters::default();
        let users = add_users(&mut parameters, &spec.users, &states);
        let calendar = calendar(spec);
        let times: Vec<i64> = points.iter().map(|p| p.time).collect();
        let range = spec
            .range
            .add_to(&mut parameters, time_span, &calendar, &times);
        let end = range.end.unwrap_or(LATEST + 100 * DAY); // the service uses now, which is later
        let start = range.start.unwrap_or(end - DEFAULT_RANGE);
        let groups = count_groups(spec, &users, selection, catalogue);
        let axis = add_axis(&mut parameters, spec, calendar, end - start, groups);
        let session = add_session(&mut parameters, spec, &states);
        add_series(&mut parameters, selection);
        let conditions = add_conditions(&mut parameters, &spec.conditions, &points, catalogue);
        add_options(&mut parameters, spec);
        let query = Query {
            catalogue,
            metric_indices: Vec::new(),
            users,
            session,
            start,
            end,
            axis,
            group_by: spec.group_by,
            functions: spec.functions.clone(),
            over: spec.over.clone(),
            conditions,
            fill: spec.fill,
            lookback: spec
                .lookback
                .map_or(0, |lookback| lookback.seconds * SECOND),
        };
        Self {
            selection,
            query,
            parameters,
        }
    }
}

/// The selected users; all users if the selected ones have no point.
fn selected_states<'a>(states: &'a [UserState], users: &UserSelection) -> Vec<&'a UserState> {
    let selected: Vec<&UserState> = states
        .iter()
        .enumerate()
        .filter(|(index, _)| users.mask >> index & 1 == 1)
        .map(|(_, state)| state)
        .collect();
    if selected.iter().all(|state| state.points().is_empty()) {
        states.iter().collect()
    } else {
        selected
    }
}

/// The selection of series, and the points of the selected series.
fn selected_series<'a>(
    spec: &AggregateSpec,
    states: &[&'a UserState],
    catalogue: &'a [MetricType],
) -> (&'a str, Vec<&'a Point>) {
    let accepts_text = !spec.prefers_data
        || (are_text_functions(&spec.functions) && are_text_functions(&spec.over));
    let points: Vec<&Point> = states
        .iter()
        .flat_map(|state| state.points())
        .filter(|point| accepts_text || catalogue[point.metric_index].is_numeric())
        .collect();
    let series = |point: &Point| catalogue[point.metric_index].series.as_str();
    let mut selection = spec.series.resolve(catalogue, &points);
    let matches_none = !points
        .iter()
        .any(|point| is_selected(selection, series(point)));
    if spec.prefers_data && matches_none && selection != MATCHES_NOTHING {
        selection = "";
    }
    let selected = points
        .into_iter()
        .filter(|point| is_selected(selection, series(point)));
    (selection, selected.collect())
}

fn add_users<'a>(
    parameters: &mut Parameters,
    selection: &UserSelection,
    states: &[&'a UserState],
) -> Vec<UserSessions<'a>> {
    let mut users: Vec<UserSessions<'_>> = states
        .iter()
        .map(|state| UserSessions {
            user: state.user,
            sessions: state.sessions.values().collect(),
        })
        .collect();
    if selection.includes_stranger {
        users.push(UserSessions {
            user: session_id(states[0].user, SLOTS + 1),
            sessions: Vec::new(),
        });
    }
    let mut ids: Vec<String> = users.iter().map(|user| user.user.to_string()).collect();
    if selection.names_first_twice {
        ids.push(ids[0].clone());
    }
    if !selection.repeats_parameter {
        ids = vec![ids.join(",")];
    }
    for id in ids {
        parameters.add("user_id", id);
    }
    users
}

fn calendar(spec: &AggregateSpec) -> Calendar {
    if spec.aligned.is_some() {
        return Calendar::utc();
    }
    let is_default = spec.interval.text.is_empty();
    let step = if is_default && spec.group_by == GroupBy::Session && spec.over.is_empty() {
        Step::All
    } else {
        spec.interval.step
    };
    Calendar {
        zone: zone(spec.zone),
        step,
        week_start: spec.week_start.unwrap_or_default(),
    }
}

/// Maximum rows of a bucket.
fn count_groups(
    spec: &AggregateSpec,
    users: &[UserSessions<'_>],
    selection: &str,
    catalogue: &[MetricType],
) -> i64 {
    let mut groups = BTreeSet::new();
    for UserSessions { user, sessions } in users {
        for session in sessions {
            let user = (spec.group_by != GroupBy::Nothing).then_some(*user);
            let id = (spec.group_by == GroupBy::Session).then_some(session.id);
            let metrics: BTreeSet<usize> = session.points.iter().map(|p| p.metric_index).collect();
            let selected = metrics
                .into_iter()
                .filter(|index| is_selected(selection, &catalogue[*index].series));
            groups.extend(selected.map(|index| (user, id, index)));
        }
    }
    groups.len().max(1) as i64
}

fn add_axis(
    parameters: &mut Parameters,
    spec: &AggregateSpec,
    calendar: Calendar,
    length: i64,
    groups: i64,
) -> Axis {
    // `fill` and `time_avg` add rows without points.
    let is_filled = spec.fill != Fill::None || spec.functions.contains(&"time_avg");
    let max_buckets = if is_filled {
        MAX_FILLED_ROWS / groups
    } else {
        MAX_BUCKETS
    };
    if let Some(interval) = spec.aligned {
        // The points of a session lie within 32 days.
        let [hour, day, six_hours, ..] = ALIGNED_INTERVALS;
        let interval = [interval, hour, six_hours]
            .into_iter()
            .find(|interval| !is_filled || 33 * 86_400 / interval.seconds <= max_buckets)
            .unwrap_or(day);
        parameters.add("align", "session");
        parameters.add("interval", interval.text);
        return Axis::Offset(interval.seconds * SECOND);
    }
    let interval = fitting_interval(spec.interval.text, calendar.step, length, max_buckets);
    if !interval.text.is_empty() {
        parameters.add("interval", interval.text);
    }
    if spec.zone != "UTC" || spec.week_start.is_some() {
        parameters.add("tz", spec.zone);
    }
    if let Some(day) = spec.week_start {
        parameters.add("week_start", WEEKDAYS[day]);
    }
    Axis::Calendar(Calendar {
        step: interval.step,
        ..calendar
    })
}

/// The given interval, or a longer one if the range would have too many buckets.
fn fitting_interval(text: &'static str, step: Step, length: i64, max_buckets: i64) -> Interval {
    let days = length as f64 / DAY as f64;
    let fits = |interval: &Interval| (days / days_of(interval.step)) as i64 <= max_buckets;
    let longer = [
        ("day", Step::Days(1)),
        ("month", Step::Months(1)),
        ("year", Step::Months(12)),
        ("all", Step::All),
    ];
    [(text, step)]
        .into_iter()
        .chain(longer)
        .map(|(text, step)| Interval { text, step })
        .find(fits)
        .expect("a single bucket fits")
}

/// The shortest length of a step in days.
fn days_of(step: Step) -> f64 {
    match step {
        Step::Elapsed(seconds) => seconds as f64 / 86_400.0,
        Step::Days(n) => n as f64,
        Step::Weeks(n) => n as f64 * 7.0,
        Step::Months(n) => n as f64 * 28.0,
        Step::All => f64::INFINITY,
    }
}

fn add_session(
    parameters: &mut Parameters,
    spec: &AggregateSpec,
    states: &[&UserState],
) -> Option<Uuid> {
    let stored: Vec<Uuid> = states
        .iter()
        .flat_map(|state| state.sessions.values())
        .map(|session| session.id)
        .collect();
    let id = match spec.session.as_ref()? {
        SessionFilter::Stored(index) if !stored.is_empty() => *index.get(&stored),
        _ => session_id(states[0].user, SLOTS),
    };
    parameters.add("session_id", id.to_string());
    Some(id)
}

fn add_options(parameters: &mut Parameters, spec: &AggregateSpec) {
    if spec.functions != ["avg"] || spec.range.sends_start {
        parameters.add("agg_func", spec.functions.join(","));
    }
    if !spec.over.is_empty() {
        parameters.add("over", spec.over.join(","));
    }
    if let Some(group_by) = spec.group_by.text() {
        parameters.add("group_by", group_by);
    }
    if spec.fill != Fill::None {
        parameters.add("fill", spec.fill.text());
    }
    if let Some(lookback) = spec.lookback {
        parameters.add("fill_lookback", lookback.text);
    }
    if let Some(accuracy) = spec.accuracy {
        parameters.add("accuracy", accuracy);
    }
    if spec.explain {
        parameters.add("explain", "true");
    }
}
