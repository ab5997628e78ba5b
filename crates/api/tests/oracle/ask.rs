//! Random questions, and the URLs that ask them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use uuid::Uuid;

use crate::calendar::{
    Calendar, DAY, INTERVALS, SECOND, Step, WEEKDAYS, ZONES, date_of, day_number, timestamp, zone,
};
use crate::generate::{Act, Era, LATEST, SLOTS, acts, era};
use crate::metrics::Metric;
use crate::model::{FUNCTIONS, Point};
use crate::play::{State, session_id};

/// An end of a range.
#[derive(Debug, Clone)]
pub(crate) enum Edge {
    Anchor(i64),
    /// A point of the data, and microseconds from it.
    Point(Index, i64),
    /// Seconds before the first point.
    First(i64),
    /// Seconds after the last point.
    Last(i64),
    /// A date so many days from the anchor, spelled as a date.
    Date(i64),
    UtcMidnight(i64),
}

fn edge() -> impl Strategy<Value = Edge> {
    prop_oneof![
        2 => (-200_000_i64..200_000).prop_map(Edge::Anchor),
        1 => (-1_000 * 86_400_i64..1_000 * 86_400).prop_map(Edge::Anchor),
        3 => (any::<Index>(), -1_i64..=1).prop_map(|(point, micros)| Edge::Point(point, micros)),
        3 => (-40_i64..40).prop_map(Edge::Date),
        1 => (-700_i64..700).prop_map(Edge::Date),
        2 => (-30_i64..30).prop_map(Edge::UtcMidnight),
    ]
}

pub(crate) fn edges() -> impl Strategy<Value = (Edge, Edge)> {
    let near = |by: std::ops::Range<i64>| (any::<Index>(), prop_oneof![-1_i64..=1, by]);
    let before = || near(-DAY..1).prop_map(|(point, by)| Edge::Point(point, by));
    let after = || near(-1..DAY).prop_map(|(point, by)| Edge::Point(point, by));
    let around = prop_oneof![Just(1), Just(86_400), 0..40 * 86_400_i64];
    prop_oneof![
        2 => (edge(), edge()),
        3 => (before(), after()),
        2 => (edge(), after()),
        3 => (around.clone().prop_map(Edge::First), around.clone().prop_map(Edge::Last)),
        1 => (around.prop_map(Edge::First), edge()),
    ]
}

impl Edge {
    /// The instant, and how to write it.
    pub(crate) fn place(&self, era: &Era, calendar: &Calendar, points: &[i64]) -> (i64, String) {
        let anchor = era.anchor();
        let micros = match self {
            Self::Anchor(seconds) => anchor + seconds * SECOND,
            Self::Point(_, micros) if points.is_empty() => anchor + micros,
            Self::Point(index, micros) => points[index.index(points.len())] + micros,
            Self::First(seconds) => points.iter().min().unwrap_or(&anchor) - seconds * SECOND,
            Self::Last(seconds) => points.iter().max().unwrap_or(&anchor) + seconds * SECOND,
            Self::UtcMidnight(days) => (anchor.div_euclid(DAY) + days) * DAY,
            Self::Date(days) => {
                let day = date_of((day_number(calendar.day_of(anchor)) + days).max(0));
                return (calendar.midnight(day), day.to_string());
            }
        };
        let micros = micros.clamp(-DAY, LATEST + 100 * DAY);
        (micros, timestamp(micros).to_string())
    }
}

/// A question before it is known about what data.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) interval: (&'static str, Step),
    pub(crate) zone: usize,
    pub(crate) week_start: Option<usize>,
    pub(crate) edges: (Edge, Edge),
    /// Without a start: 168 hours before the end.
    pub(crate) has_start: bool,
    /// Without an end: now.
    pub(crate) has_end: bool,
    pub(crate) functions: Vec<&'static str>,
    pub(crate) series: Series,
    /// Only one session: that of a point, or one that is not there.
    pub(crate) session: Option<OneSession>,
}

/// Which session is asked for.
#[derive(Debug, Clone)]
pub(crate) enum OneSession {
    There(Index),
    Unknown,
}

/// Which series are asked for.
#[derive(Debug, Clone)]
pub(crate) enum Series {
    /// As one of `SERIES` says.
    Listed(&'static str),
    /// That of a point of the data, by name.
    OfPoint(Index),
}

impl Series {
    /// As `SERIES` would say it.
    pub(crate) fn words<'a>(&self, catalogue: &'a [Metric], points: &[&Point]) -> &'a str {
        match self {
            Self::Listed(words) => words,
            Self::OfPoint(_) if points.is_empty() => "num.score",
            Self::OfPoint(index) => &catalogue[index.get(points).metric].series,
        }
    }
}

/// Values of `series`, `&`-separated where it is given several times; with `!mode` at the end of some.
pub(crate) const SERIES: [&str; 22] = [
    "",
    "",
    "",
    "*",
    "num.*",
    "num*,text.*",
    "num.score",
    "num.score,num.Color",
    "num.bare&num.place",
    "num-*",
    "text.mood",
    "text.note,text.form,text.flag",
    "text.*",
    "*e*",
    "num.score,num-gaps,num.n*",
    "^num",
    "s(core|teps)$",
    "nothing.*",
    "num.made_[0-2]",
    "*o!glob",
    "num.extra!exact",
    "a{1,2}!regex",
];

pub(crate) fn ask(era_zone: usize) -> impl Strategy<Value = Ask> {
    let zone = prop_oneof![3 => Just(era_zone), 1 => Just(0), 2 => 0..ZONES.len()];
    let functions = prop_oneof![
        3 => select(FUNCTIONS.to_vec()).prop_map(|f| vec![f]),
        1 => Just(vec!["count"]),
        2 => subsequence(vec!["first", "last", "count"], 1..=3),
        3 => subsequence(FUNCTIONS.to_vec(), 1..=8).prop_shuffle(),
        2 => Just(FUNCTIONS.to_vec()),
    ];
    let week_start = proptest::option::weighted(0.5, 0..WEEKDAYS.len());
    let session = proptest::option::weighted(
        0.2,
        prop_oneof![9 => any::<Index>().prop_map(OneSession::There), 1 => Just(OneSession::Unknown)],
    );
    let edges = edges();
    let interval = select(INTERVALS.to_vec());
    let series = prop_oneof![
        1 => select(SERIES.to_vec()).prop_map(Series::Listed),
        1 => any::<Index>().prop_map(Series::OfPoint),
    ];
    let ends =
        prop_oneof![16 => Just((true, true)), 1 => Just((false, true)), 1 => Just((true, false))];
    (
        interval, zone, week_start, edges, ends, functions, series, session,
    )
        .prop_map(
            |(
                interval,
                zone,
                week_start,
                edges,
                (has_start, has_end),
                functions,
                series,
                session,
            )| Ask {
                interval,
                zone,
                week_start,
                edges,
                has_start,
                has_end,
                functions,
                series,
                session,
            },
        )
}

/// A question with its instants.
pub(crate) struct Asked<'a> {
    /// As `SERIES` says it.
    pub(crate) series: &'a str,
    pub(crate) calendar: Calendar,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) session: Option<Uuid>,
    /// What to GET.
    pub(crate) path: String,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(state: &State, era: &Era, ask: &Ask, catalogue: &'a [Metric]) -> Self {
        let calendar = Calendar {
            zone: zone(ZONES[ask.zone]),
            step: ask.interval.1,
            week_start: ask.week_start.unwrap_or_default(),
        };
        let points = state.points();
        let all_series = ask.series.words(catalogue, &points);
        let times = points
            .iter()
            .filter(|p| selects(all_series, &catalogue[p.metric].series).is_some());
        let times: Vec<i64> = times.map(|p| p.time).collect();
        let mut start = ask.edges.0.place(era, &calendar, &times);
        let mut end = ask.edges.1.place(era, &calendar, &times);
        if start.0 > end.0 {
            std::mem::swap(&mut start, &mut end);
        }
        if start.0 == end.0 {
            end = (
                start.0 + 86_400 * SECOND,
                timestamp(start.0 + 86_400 * SECOND).to_string(),
            );
        }
        let (mut parameters, mut end) = (Vec::new(), end);
        let mut add =
            |name: &str, value: &str| parameters.push(format!("&{name}={}", escaped(value)));
        if ask.has_start {
            add("start_time", &start.1);
        } else {
            start.0 = end.0 - 168 * 3_600 * SECOND;
        }
        if ask.has_end {
            add("end_time", &end.1);
        } else {
            end.0 = LATEST + 100 * DAY; // now is later, but no point is
        }
        // Short buckets over years would only take long.
        let (interval, step) = match calendar.step {
            Step::Elapsed(s) if (end.0 - start.0) / (s * SECOND) > 60_000 => ("day", Step::Days(1)),
            step => (ask.interval.0, step),
        };
        let session = ask.session.as_ref().map(|of| match of {
            OneSession::There(index) if !state.slots.is_empty() => {
                index.get(&state.slots.values().collect::<Vec<_>>()).id
            }
            _ => session_id(state.user, SLOTS),
        });
        if !interval.is_empty() {
            add("interval", interval);
        }
        if ask.functions != ["avg"] || ask.has_start {
            add("agg_func", &ask.functions.join(","));
        }
        if ask.zone != 0 || ask.week_start.is_some() {
            add("tz", ZONES[ask.zone]);
        }
        if let Some(day) = ask.week_start {
            add("week_start", WEEKDAYS[day]);
        }
        if let Some(id) = session {
            add("session_id", &id.to_string());
        }
        let (series, mode) = all_series.split_once('!').unwrap_or((all_series, ""));
        for part in series.split('&').filter(|part| !part.is_empty()) {
            add("series", part);
        }
        if !mode.is_empty() {
            add("series_mode", mode);
        }
        let path = format!(
            "/api/timeseries/?user_id={}{}",
            state.user,
            parameters.concat()
        );
        Self {
            series: all_series,
            calendar: Calendar { step, ..calendar },
            start: start.0,
            end: end.0,
            session,
            path,
        }
    }
}

/// Whether a series is selected, and if so whether by its very name.
pub(crate) fn selects(pattern: &str, name: &str) -> Option<bool> {
    let made = ["num.made_0", "num.made_1", "num.made_2"];
    let by_pattern = |yes: bool| yes.then_some(false);
    match pattern {
        "" => Some(false),
        "^num" => by_pattern(name.starts_with("num")),
        "s(core|teps)$" => by_pattern(name.ends_with("score") || name.ends_with("steps")),
        "num.made_[0-2]" => by_pattern(made.contains(&name)),
        "a{1,2}!regex" => by_pattern(name.contains('a')),
        _ => {
            let list = pattern.split_once('!').map_or(pattern, |(list, _)| list);
            let parts: Vec<&str> = list.split([',', '&']).collect();
            if parts.contains(&name) {
                return Some(true);
            }
            by_pattern(
                parts
                    .iter()
                    .any(|part| part.contains('*') && glob(part, name)),
            )
        }
    }
}

fn glob(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|left| {
            (0..=left.len())
                .filter(|cut| left.is_char_boundary(*cut))
                .any(|cut| glob(rest, &left[cut..]))
        }),
    }
}

/// A parameter's value, fit for a URL.
pub(crate) fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.bytes()
        .map(|b| {
            if plain(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

/// Acts, and questions about what is there after them.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) era: Era,
    pub(crate) acts: Vec<(usize, Act)>,
    pub(crate) asks: Vec<Ask>,
}

pub(crate) fn case(acts_at_most: usize, asks: usize) -> impl Strategy<Value = Case> {
    era().prop_flat_map(move |era| {
        let asks = vec(ask(era.zone), asks);
        (Just(era), acts(acts_at_most), asks).prop_map(|(era, acts, asks)| Case { era, acts, asks })
    })
}
