//! Random sessions, described relative to the time span and the catalogue of a case.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use uuid::Uuid;

use crate::fixture::calendar::{DAY, SECOND, date_of, day_number};
use crate::fixture::metric_type::MetricType;
use crate::fixture::number_style::{NUMBER_STYLES, NumberStyle};
use crate::fixture::random::SeededRng;
use crate::fixture::session::{Point, Session};
use crate::generate::time_span::{EARLIEST, LATEST, TimeSpan};

const HOUR: i64 = 3_600 * SECOND;

/// The time of the first point of a burst.
#[derive(Debug, Clone)]
enum BurstStart {
    AfterAnchor {
        seconds: i64,
    },
    AfterSessionStart {
        micros: i64,
    },
    /// Relative to a UTC midnight, some days from the start of the session.
    UtcMidnight {
        day: i64,
        seconds: i64,
    },
    /// Relative to a midnight of the case's zone, some days from the start of the session.
    LocalMidnight {
        day: i64,
        micros: i64,
    },
}

#[derive(Debug, Clone, Copy)]
enum Spacing {
    /// Microseconds between consecutive points.
    Every(i64),
    /// Random times within a number of microseconds.
    RandomWithin(i64),
}

/// Points of one series with a common spacing.
#[derive(Debug, Clone)]
struct Burst {
    metric: Index,
    start: BurstStart,
    spacing: Spacing,
    len: usize,
    number_style: NumberStyle,
    seed: u64,
}

fn burst_start() -> impl Strategy<Value = BurstStart> {
    let hours = -DAY / HOUR..31 * DAY / HOUR;
    prop_oneof![
        3 => (-90_000_i64..90_000).prop_map(|seconds| BurstStart::AfterAnchor { seconds }),
        2 => (-DAY..31 * DAY).prop_map(|micros| BurstStart::AfterSessionStart { micros }),
        1 => hours.prop_map(|hours| BurstStart::AfterSessionStart { micros: hours * HOUR }),
        2 => (-1_i64..31, -200_i64..=0)
            .prop_map(|(day, seconds)| BurstStart::UtcMidnight { day, seconds }),
        2 => (-1_i64..31, -3_i64..=3)
            .prop_map(|(day, micros)| BurstStart::LocalMidnight { day, micros }),
    ]
}

fn spacing() -> impl Strategy<Value = Spacing> {
    prop_oneof![
        6 => Just(Spacing::Every(SECOND)),
        1 => Just(Spacing::Every(0)),
        1 => Just(Spacing::Every(250_000)),
        1 => Just(Spacing::Every(1)),
        2 => Just(Spacing::Every(60 * SECOND)),
        2 => Just(Spacing::Every(1_800 * SECOND)),
        1 => Just(Spacing::Every(7 * HOUR)),
        1 => Just(Spacing::Every(DAY)),
        2 => (1_i64..31 * DAY).prop_map(Spacing::RandomWithin),
        1 => (1_i64..100).prop_map(Spacing::RandomWithin),
    ]
}

fn burst() -> impl Strategy<Value = Burst> {
    let len = prop_oneof![
        20 => 1_usize..5,
        30 => 5_usize..40,
        40 => 20_usize..300,
        1 => 4_090_usize..4_200, // exceeds one block
    ];
    let metric = any::<Index>();
    let number_style = select(NUMBER_STYLES.to_vec());
    let parts = (
        metric,
        burst_start(),
        spacing(),
        len,
        number_style,
        any::<u64>(),
    );
    parts.prop_map(|(metric, start, spacing, len, number_style, seed)| Burst {
        metric,
        start,
        spacing,
        len,
        number_style,
        seed,
    })
}

/// A session relative to a time span and a catalogue.
#[derive(Debug, Clone)]
pub(crate) struct SessionSpec {
    /// Seconds from the anchor.
    start: i64,
    /// True if the session is written with its start.
    sends_start: bool,
    bursts: Vec<Burst>,
    /// The seed by which points are shuffled before they are written.
    shuffle: Option<u64>,
}

pub(crate) fn session_spec() -> impl Strategy<Value = SessionSpec> {
    let start = prop_oneof![
        5 => -200_000_i64..200_000,
        2 => -60 * 86_400_i64..60 * 86_400,
        1 => -900 * 86_400_i64..900 * 86_400,
    ];
    let bursts = prop_oneof![1 => vec(burst(), 0..2), 5 => vec(burst(), 2..6)];
    let shuffle = proptest::option::weighted(0.5, any::<u64>());
    (start, prop::bool::weighted(0.8), bursts, shuffle).prop_map(
        |(start, sends_start, bursts, shuffle)| SessionSpec {
            start,
            sends_start,
            bursts,
            shuffle,
        },
    )
}

impl SessionSpec {
    pub(crate) fn session(
        &self,
        id: Uuid,
        time_span: &TimeSpan,
        catalogue: &[MetricType],
    ) -> Session {
        let anchor = time_span.anchor();
        let start = (anchor + self.start * SECOND).clamp(EARLIEST, LATEST - 40 * DAY);
        let allowed = start - DAY..=start + 31 * DAY;
        let mut points: Vec<Point> = self
            .bursts
            .iter()
            .flat_map(|burst| burst.points(burst.start.resolve(time_span, start), catalogue))
            .filter(|point| allowed.contains(&point.time))
            .collect();
        if !self.sends_start {
            let earliest = points.iter().map(|p| p.time).min().unwrap_or_default();
            points.retain(|p| p.time <= earliest + 31 * DAY);
        }
        if let Some(seed) = self.shuffle {
            let mut rng = SeededRng::new(seed);
            for last in (1..points.len()).rev() {
                points.swap(last, rng.below(last as u64 + 1) as usize);
            }
        }
        Session {
            id,
            start: self.sends_start.then_some(start),
            points,
        }
    }
}

impl BurstStart {
    fn resolve(&self, time_span: &TimeSpan, session_start: i64) -> i64 {
        match *self {
            Self::AfterAnchor { seconds } => time_span.anchor() + seconds * SECOND,
            Self::AfterSessionStart { micros } => session_start + micros,
            Self::UtcMidnight { day, seconds } => {
                (session_start.div_euclid(DAY) + day) * DAY + seconds * SECOND
            }
            Self::LocalMidnight { day, micros } => {
                let calendar = time_span.calendar();
                let date = date_of(day_number(calendar.day_of(session_start)) + day);
                calendar.midnight(date) + micros
            }
        }
    }
}

impl Burst {
    fn points(&self, first: i64, catalogue: &[MetricType]) -> Vec<Point> {
        let metric_index = self.metric.index(catalogue.len());
        let point = |index: usize| {
            let mut rng = SeededRng::for_element(self.seed, index);
            let offset = match self.spacing {
                Spacing::Every(step) => step * index as i64,
                Spacing::RandomWithin(micros) => rng.below(micros as u64) as i64,
            };
            Point {
                metric_index,
                time: first + offset,
                value: catalogue[metric_index].value(self.number_style, &mut rng),
            }
        };
        (0..self.len).map(point).collect()
    }
}
