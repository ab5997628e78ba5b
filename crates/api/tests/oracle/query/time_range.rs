//! Random time ranges near points, transitions and midnights.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::fixture::calendar::{Calendar, DAY, SECOND, date_of, day_number, timestamp};
use crate::generate::time_span::{LATEST, TimeSpan};
use crate::query::parameters::Parameters;

/// An end of a time range, before the data are known.
#[derive(Debug, Clone)]
pub(crate) enum Edge {
    /// Seconds after the anchor of the time span.
    Anchor(i64),
    NearPoint {
        point: Index,
        micros: i64,
    },
    BeforeFirstPoint {
        seconds: i64,
    },
    AfterLastPoint {
        seconds: i64,
    },
    /// Days after the anchor, written as a date.
    Date(i64),
    UtcMidnight(i64),
}

/// The ends of a time range, in any order.
#[derive(Debug, Clone)]
pub(crate) struct Edges {
    start: Edge,
    end: Edge,
}

/// A time range before the data are known.
#[derive(Debug, Clone)]
pub(crate) struct TimeRangeSpec {
    pub(crate) edges: Edges,
    /// True if the query has a `start_time`.
    pub(crate) sends_start: bool,
    /// True if the query has an `end_time`.
    pub(crate) sends_end: bool,
}

fn edge() -> impl Strategy<Value = Edge> {
    prop_oneof![
        2 => (-200_000_i64..200_000).prop_map(Edge::Anchor),
        1 => (-1_000 * 86_400_i64..1_000 * 86_400).prop_map(Edge::Anchor),
        3 => (any::<Index>(), -1_i64..=1)
            .prop_map(|(point, micros)| Edge::NearPoint { point, micros }),
        3 => (-40_i64..40).prop_map(Edge::Date),
        1 => (-700_i64..700).prop_map(Edge::Date),
        2 => (-30_i64..30).prop_map(Edge::UtcMidnight),
    ]
}

fn near_point(micros: Range<i64>) -> impl Strategy<Value = Edge> {
    (any::<Index>(), prop_oneof![-1_i64..=1, micros])
        .prop_map(|(point, micros)| Edge::NearPoint { point, micros })
}

/// Edges of which the start is mostly the earlier one.
fn edges() -> impl Strategy<Value = Edges> {
    let start = || near_point(-DAY..1);
    let end = || near_point(-1..DAY);
    let seconds = || prop_oneof![Just(1), Just(86_400), 0..40 * 86_400_i64];
    let before_first = || seconds().prop_map(|seconds| Edge::BeforeFirstPoint { seconds });
    let after_last = seconds().prop_map(|seconds| Edge::AfterLastPoint { seconds });
    prop_oneof![
        2 => (edge(), edge()),
        3 => (start(), end()),
        2 => (edge(), end()),
        3 => (before_first(), after_last),
        1 => (before_first(), edge()),
    ]
    .prop_map(|(start, end)| Edges { start, end })
}

/// Edges that include all points.
pub(crate) fn edges_around_all_points() -> impl Strategy<Value = Edges> {
    (0..40 * 86_400_i64, 0..40 * 86_400_i64).prop_map(|(before, after)| Edges {
        start: Edge::BeforeFirstPoint { seconds: before },
        end: Edge::AfterLastPoint { seconds: after },
    })
}

/// A time range; `sends` chooses whether the start and the end are sent.
pub(crate) fn time_range(
    sends: impl Strategy<Value = (bool, bool)>,
) -> impl Strategy<Value = TimeRangeSpec> {
    (edges(), sends).prop_map(|(edges, (sends_start, sends_end))| TimeRangeSpec {
        edges,
        sends_start,
        sends_end,
    })
}

/// An instant and its notation in a query.
#[derive(Debug, Clone)]
struct Instant {
    micros: i64,
    text: String,
}

impl Instant {
    fn new(micros: i64) -> Self {
        let text = timestamp(micros).to_string();
        Self { micros, text }
    }
}

impl Edge {
    fn resolve(&self, time_span: &TimeSpan, calendar: &Calendar, times: &[i64]) -> Instant {
        let anchor = time_span.anchor();
        let micros = match *self {
            Self::Anchor(seconds) => anchor + seconds * SECOND,
            Self::NearPoint { micros, .. } if times.is_empty() => anchor + micros,
            Self::NearPoint { point, micros } => *point.get(times) + micros,
            Self::BeforeFirstPoint { seconds } => {
                times.iter().min().unwrap_or(&anchor) - seconds * SECOND
            }
            Self::AfterLastPoint { seconds } => {
                times.iter().max().unwrap_or(&anchor) + seconds * SECOND
            }
            Self::UtcMidnight(days) => (anchor.div_euclid(DAY) + days) * DAY,
            Self::Date(days) => {
                let date = date_of((day_number(calendar.day_of(anchor)) + days).max(0));
                return Instant {
                    micros: calendar.midnight(date),
                    text: date.to_string(),
                };
            }
        };
        Instant::new(micros.clamp(-DAY, LATEST + 100 * DAY))
    }
}

/// The ends of a time range in microseconds; `None` if the query leaves the parameter out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeRange {
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
}

impl TimeRangeSpec {
    /// Adds the range to the parameters. Swaps ends in the wrong order, and extends an empty range
    /// by a day.
    pub(crate) fn add_to(
        &self,
        parameters: &mut Parameters,
        time_span: &TimeSpan,
        calendar: &Calendar,
        times: &[i64],
    ) -> TimeRange {
        let mut start = self.edges.start.resolve(time_span, calendar, times);
        let mut end = self.edges.end.resolve(time_span, calendar, times);
        if start.micros > end.micros {
            std::mem::swap(&mut start, &mut end);
        }
        if start.micros == end.micros {
            end = Instant::new(start.micros + DAY);
        }
        let mut range = TimeRange {
            start: None,
            end: None,
        };
        if self.sends_start {
            parameters.add("start_time", start.text);
            range.start = Some(start.micros);
        }
        if self.sends_end {
            parameters.add("end_time", end.text);
            range.end = Some(end.micros);
        }
        range
    }
}
