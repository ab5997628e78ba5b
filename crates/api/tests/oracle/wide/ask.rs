//! Random questions that use everything an aggregate query may ask, and the parameters that ask them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use uuid::Uuid;

use crate::ask::{Ask, Edge, OneSession, ask, escaped, selects};
use crate::calendar::{Calendar, DAY, SECOND, Step, WEEKDAYS, ZONES, timestamp, zone};
use crate::generate::{Era, LATEST, SLOTS};
use crate::metrics::Metric;
use crate::model::{Point, Session};
use crate::play::{State, session_id};
use crate::wide::axis::Axis;
use crate::wide::clauses::{Clause, clauses, conditions};
use crate::wide::functions::{FUNCTIONS, OF_TEXT};
use crate::wide::model::{Fill, GroupBy, Question};

/// Lengths of buckets along sessions, and their seconds.
const LENGTHS: [(&str, i64); 10] = [
    ("hour", 3_600),
    ("24h", 86_400),
    ("6h", 21_600),
    ("min", 60),
    ("30s", 30),
    ("7m", 420),
    ("15m", 900),
    ("90m", 5_400),
    ("7h", 25_200),
    ("1s", 1),
];

const LOOKBACKS: [(&str, i64); 8] = [
    ("7d", 604_800),
    ("12h", 43_200),
    ("30m", 1_800),
    ("45s", 45),
    ("36h", 129_600),
    ("90min", 5_400),
    ("4w", 2_419_200),
    ("400d", 34_560_000),
];

/// With gaps filled, answers have at most about so many rows.
const FILLED_ROWS: i64 = 6_000;

/// Whose data is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Whom {
    /// A bit for each user there is.
    mask: usize,
    /// Also a user who has nothing.
    stranger: bool,
    repeated: bool,
    twice: bool,
}

/// A question before it is known about what data.
#[derive(Debug, Clone)]
pub(crate) struct WideAsk {
    pub(crate) base: Ask,
    pub(crate) functions: Vec<&'static str>,
    pub(crate) over: Vec<&'static str>,
    pub(crate) group_by: GroupBy,
    pub(crate) aligned: Option<(&'static str, i64)>,
    pub(crate) fill: Fill,
    pub(crate) lookback: Option<(&'static str, i64)>,
    pub(crate) clauses: Vec<Clause>,
    pub(crate) whom: Whom,
    pub(crate) accuracy: Option<&'static str>,
    pub(crate) explain: bool,
}

fn functions() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![
        4 => select(FUNCTIONS.to_vec()).prop_map(|f| vec![f]),
        1 => Just(vec!["time_avg"]),
        3 => subsequence(OF_TEXT.to_vec(), 1..=5),
        4 => subsequence(FUNCTIONS.to_vec(), 1..=6).prop_shuffle(),
        1 => Just(FUNCTIONS.to_vec()),
    ]
}

fn over() -> impl Strategy<Value = Vec<&'static str>> {
    let all: Vec<&str> = FUNCTIONS.into_iter().filter(|f| *f != "time_avg").collect();
    prop_oneof![
        8 => Just(Vec::new()),
        2 => select(all.clone()).prop_map(|f| vec![f]),
        1 => subsequence(OF_TEXT.to_vec(), 1..=3),
        2 => subsequence(all, 1..=3).prop_shuffle(),
    ]
}

fn whom() -> impl Strategy<Value = Whom> {
    let mask = prop_oneof![2 => Just(1), 3 => 1_usize..8];
    (
        mask,
        prop::bool::weighted(0.1),
        any::<bool>(),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(mask, stranger, repeated, twice)| Whom {
            mask,
            stranger,
            repeated,
            twice,
        })
}

pub(crate) fn wide_ask(era_zone: usize) -> impl Strategy<Value = WideAsk> {
    let group_by = prop_oneof![4 => Just(GroupBy::Nothing), 2 => Just(GroupBy::Session), 2 => Just(GroupBy::User)];
    let fill = prop_oneof![
        4 => Just(Fill::None), 1 => Just(Fill::Null), 1 => Just(Fill::Zero), 2 => Just(Fill::Previous), 2 => Just(Fill::Linear),
    ];
    let aligned = proptest::option::weighted(0.3, select(LENGTHS.to_vec()));
    let lookback = proptest::option::weighted(0.6, select(LOOKBACKS.to_vec()));
    let around =
        (0..40 * 86_400_i64, 0..40 * 86_400_i64).prop_map(|(a, b)| (Edge::First(a), Edge::Last(b)));
    let base =
        (ask(era_zone), proptest::option::weighted(0.5, around)).prop_map(|(base, around)| Ask {
            edges: around.unwrap_or_else(|| base.edges.clone()),
            ..base
        });
    let odds = (
        proptest::option::weighted(0.1, select(vec!["exact", "approx"])),
        prop::bool::weighted(0.1),
    );
    (
        base,
        functions(),
        over(),
        group_by,
        aligned,
        fill,
        lookback,
        clauses(),
        whom(),
        odds,
    )
        .prop_map(
            |(
                base,
                functions,
                over,
                group_by,
                aligned,
                fill,
                lookback,
                clauses,
                whom,
                (accuracy, explain),
            )| WideAsk {
                base: Ask {
                    has_end: base.has_end || fill != Fill::None,
                    ..base
                },
                functions: if over.is_empty() {
                    functions
                } else {
                    known_of_one(&functions, fill)
                },
                over,
                group_by,
                aligned,
                fill,
                lookback: lookback.filter(|_| fill != Fill::None && aligned.is_none()),
                clauses,
                whom,
                accuracy,
                explain,
            },
        )
}

/// At most four functions. The deviation of one point is nothing that could be filled in.
fn known_of_one(functions: &[&'static str], fill: Fill) -> Vec<&'static str> {
    let known = |function: &&&str| fill == Fill::None || **function != "stddev";
    let functions: Vec<&str> = functions.iter().filter(known).take(4).copied().collect();
    if functions.is_empty() {
        vec!["avg"]
    } else {
        functions
    }
}

/// What a GET asks.
#[derive(Debug, Clone)]
pub(crate) struct Parameters(pub(crate) Vec<(&'static str, String)>);

impl Parameters {
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, value.into()));
    }

    pub(crate) fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(n, _)| *n != name).cloned().collect())
    }

    /// With this in place of what there may be.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut all = self.without(name);
        all.add(name, value);
        all
    }

    pub(crate) fn path(&self, route: &str) -> String {
        let all: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        format!("{route}?{}", all.join("&"))
    }
}

/// A question with its instants, users and conditions; which series it is about remains to be chosen.
pub(crate) struct WideAsked<'a> {
    /// As `ask::SERIES` says it.
    pub(crate) series: &'a str,
    pub(crate) question: Question<'a>,
    pub(crate) parameters: Parameters,
}

impl<'a> WideAsked<'a> {
    pub(crate) fn new(
        states: &'a [State],
        era: &Era,
        ask: &WideAsk,
        catalogue: &'a [Metric],
    ) -> Self {
        let chosen: Vec<&State> = states
            .iter()
            .enumerate()
            .filter(|(place, _)| ask.whom.mask >> place & 1 == 1)
            .map(|(_, s)| s)
            .collect();
        let nothing = chosen.iter().all(|state| state.points().is_empty());
        let chosen = if nothing {
            states.iter().collect()
        } else {
            chosen
        };
        let of_text = ask
            .functions
            .iter()
            .chain(&ask.over)
            .all(|f| OF_TEXT.contains(f));
        let has_numbers = |point: &&Point| of_text || !catalogue[point.metric].leaves.is_empty();
        let points: Vec<&Point> = chosen
            .iter()
            .flat_map(|state| state.points())
            .filter(has_numbers)
            .collect();
        let series = ask.base.series.words(catalogue, &points);
        let is_about = |point: &&&Point| selects(series, &catalogue[point.metric].series).is_some();
        // What most series have nothing of would mostly be answered with nothing.
        let series = if series != "nothing.*" && !points.iter().any(|p| is_about(&p)) {
            ""
        } else {
            series
        };
        let points: Vec<&Point> = points
            .into_iter()
            .filter(|p| selects(series, &catalogue[p.metric].series).is_some())
            .collect();

        let mut parameters = Parameters(Vec::new());
        let users = whose(&mut parameters, &ask.whom, &chosen);
        let calendar = calendar(ask);
        let times: Vec<i64> = points.iter().map(|p| p.time).collect();
        let (start, end) = range(&mut parameters, &ask.base, era, &calendar, &times);
        let about = selected_groups(ask, &users, series, catalogue);
        let axis = axis(&mut parameters, ask, calendar, end - start, about);
        let session = session(&mut parameters, &ask.base, &chosen);
        add_series(&mut parameters, series);
        let conditions = conditions(&mut parameters, &ask.clauses, &points, catalogue);
        add_choices(&mut parameters, ask);
        let question = Question {
            catalogue,
            chosen: Vec::new(),
            users,
            session,
            start,
            end,
            axis,
            group_by: ask.group_by,
            functions: ask.functions.clone(),
            over: ask.over.clone(),
            conditions,
            fill: ask.fill,
            lookback: ask.lookback.map_or(0, |(_, seconds)| seconds * SECOND),
        };
        Self {
            series,
            question,
            parameters,
        }
    }
}

fn whose<'a>(
    parameters: &mut Parameters,
    whom: &Whom,
    chosen: &[&'a State],
) -> Vec<(Uuid, Vec<&'a Session>)> {
    let mut users: Vec<(Uuid, Vec<&Session>)> = chosen
        .iter()
        .map(|state| (state.user, state.slots.values().collect()))
        .collect();
    if whom.stranger {
        users.push((session_id(chosen[0].user, SLOTS + 1), Vec::new()));
    }
    let mut ids: Vec<String> = users.iter().map(|(user, _)| user.to_string()).collect();
    if whom.twice {
        ids.push(ids[0].clone());
    }
    for user in if whom.repeated {
        ids
    } else {
        vec![ids.join(",")]
    } {
        parameters.add("user_id", user);
    }
    users
}

fn calendar(ask: &WideAsk) -> Calendar {
    let step = match ask.base.interval {
        ("", _) if ask.group_by == GroupBy::Session && ask.over.is_empty() => Step::All,
        (_, step) => step,
    };
    match ask.aligned {
        Some(_) => Calendar::utc(),
        None => Calendar {
            zone: zone(ZONES[ask.base.zone]),
            step,
            week_start: ask.base.week_start.unwrap_or_default(),
        },
    }
}

fn range(
    parameters: &mut Parameters,
    base: &Ask,
    era: &Era,
    calendar: &Calendar,
    times: &[i64],
) -> (i64, i64) {
    let mut start = base.edges.0.place(era, calendar, times);
    let mut end = base.edges.1.place(era, calendar, times);
    if start.0 > end.0 {
        std::mem::swap(&mut start, &mut end);
    }
    if start.0 == end.0 {
        end = (start.0 + DAY, timestamp(start.0 + DAY).to_string());
    }
    if base.has_start {
        parameters.add("start_time", start.1);
    } else {
        start.0 = end.0 - 168 * 3_600 * SECOND;
    }
    if base.has_end {
        parameters.add("end_time", end.1);
    } else {
        end.0 = LATEST + 100 * DAY; // now is later, but no point is
    }
    (start.0, end.0)
}

/// How many rows a bucket may have at most.
fn selected_groups(
    ask: &WideAsk,
    users: &[(Uuid, Vec<&Session>)],
    series: &str,
    catalogue: &[Metric],
) -> i64 {
    let mut groups = BTreeSet::new();
    for (user, sessions) in users {
        for session in sessions {
            let user = (ask.group_by != GroupBy::Nothing).then_some(*user);
            let only = (ask.group_by == GroupBy::Session).then_some(session.id);
            let metrics: BTreeSet<usize> = session.points.iter().map(|p| p.metric).collect();
            let selected = metrics
                .into_iter()
                .filter(|m| selects(series, &catalogue[*m].series).is_some());
            groups.extend(selected.map(|metric| (user, only, metric)));
        }
    }
    groups.len().max(1) as i64
}

fn axis(
    parameters: &mut Parameters,
    ask: &WideAsk,
    calendar: Calendar,
    length: i64,
    groups: i64,
) -> Axis {
    // Filled gaps and held values add rows without points.
    let is_filled = ask.fill != Fill::None || ask.functions.contains(&"time_avg");
    let most = if is_filled {
        FILLED_ROWS / groups
    } else {
        60_000
    };
    if let Some(asked) = ask.aligned {
        // Points lie within 32 days of a session.
        let fits = |(_, seconds): &(&str, i64)| !is_filled || 33 * 86_400 / seconds <= most;
        let (interval, seconds) = [asked, LENGTHS[0], LENGTHS[2]]
            .into_iter()
            .find(fits)
            .unwrap_or(LENGTHS[1]);
        parameters.add("align", "session");
        parameters.add("interval", interval);
        return Axis::Offset(seconds * SECOND);
    }
    let days = |step: Step| match step {
        Step::Elapsed(seconds) => seconds as f64 / 86_400.0,
        Step::Days(n) => n as f64,
        Step::Weeks(n) => n as f64 * 7.0,
        Step::Months(n) => n as f64 * 28.0,
        Step::All => f64::INFINITY,
    };
    let fits = |(_, step): &(&str, Step)| (length as f64 / DAY as f64 / days(*step)) as i64 <= most;
    let coarser = [
        ("day", Step::Days(1)),
        ("month", Step::Months(1)),
        ("year", Step::Months(12)),
        ("all", Step::All),
    ];
    let asked = (ask.base.interval.0, calendar.step);
    let (interval, step) = [asked]
        .into_iter()
        .chain(coarser)
        .find(fits)
        .expect("one bucket is never too many");
    if !interval.is_empty() {
        parameters.add("interval", interval);
    }
    if ask.base.zone != 0 || ask.base.week_start.is_some() {
        parameters.add("tz", ZONES[ask.base.zone]);
    }
    if let Some(day) = ask.base.week_start {
        parameters.add("week_start", WEEKDAYS[day]);
    }
    Axis::Calendar(Calendar { step, ..calendar })
}

fn session(parameters: &mut Parameters, base: &Ask, chosen: &[&State]) -> Option<Uuid> {
    let there: Vec<Uuid> = chosen
        .iter()
        .flat_map(|state| state.slots.values())
        .map(|s| s.id)
        .collect();
    let id = base.session.as_ref().map(|of| match of {
        OneSession::There(index) if !there.is_empty() => *index.get(&there),
        _ => session_id(chosen[0].user, SLOTS),
    })?;
    parameters.add("session_id", id.to_string());
    Some(id)
}

pub(crate) fn add_series(parameters: &mut Parameters, words: &str) {
    let (series, mode) = words.split_once('!').unwrap_or((words, ""));
    for part in series.split('&').filter(|part| !part.is_empty()) {
        parameters.add("series", part);
    }
    if !mode.is_empty() {
        parameters.add("series_mode", mode);
    }
}

fn add_choices(parameters: &mut Parameters, ask: &WideAsk) {
    if ask.functions != ["avg"] || ask.base.has_start {
        parameters.add("agg_func", ask.functions.join(","));
    }
    if !ask.over.is_empty() {
        parameters.add("over", ask.over.join(","));
    }
    match ask.group_by {
        GroupBy::Nothing => {}
        GroupBy::User => parameters.add("group_by", "user"),
        GroupBy::Session => parameters.add("group_by", "session"),
    }
    match ask.fill {
        Fill::None => {}
        Fill::Null => parameters.add("fill", "null"),
        Fill::Zero => parameters.add("fill", "zero"),
        Fill::Previous => parameters.add("fill", "previous"),
        Fill::Linear => parameters.add("fill", "linear"),
    }
    if let Some((words, _)) = ask.lookback {
        parameters.add("fill_lookback", words);
    }
    if let Some(accuracy) = ask.accuracy {
        parameters.add("accuracy", accuracy);
    }
    if ask.explain {
        parameters.add("explain", "true");
    }
}
