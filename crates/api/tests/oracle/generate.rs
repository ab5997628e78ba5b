//! Random recordings and what clients do with them, made so that they shrink to few and plain ones.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use uuid::Uuid;

use crate::calendar::{Calendar, DAY, SECOND, ZONES, date_of, day_number, zone};
use crate::metrics::{Dice, Metric, NUMBERS, Numbers};
use crate::model::{Point, Session};

/// The last instant that points of tests have.
pub(crate) const LATEST: i64 = 20_454 * DAY;
const EARLIEST: i64 = 3 * DAY;

/// Around when and where a case plays.
#[derive(Debug, Clone)]
pub(crate) struct Era {
    pub(crate) zone: usize,
    transition: Option<Index>,
    fixed: i64,
}

impl Era {
    /// An instant at which something may go wrong.
    pub(crate) fn anchor(&self) -> i64 {
        let calendar = Calendar {
            zone: zone(ZONES[self.zone]),
            ..Calendar::utc()
        };
        let transitions = calendar.transitions();
        match self.transition {
            Some(index) if !transitions.is_empty() => transitions[index.index(transitions.len())],
            _ => self.fixed,
        }
    }
}

pub(crate) fn era() -> impl Strategy<Value = Era> {
    // The turn of a year, a leap day, a month's end, the first days there are, any Wednesday.
    let fixed = select(vec![
        20_089 * DAY,
        19_782 * DAY,
        18_992 * DAY,
        5 * DAY,
        19_620 * DAY + 12 * 3_600 * SECOND,
    ]);
    let transition = proptest::option::weighted(0.7, any::<Index>());
    (0..ZONES.len(), transition, fixed).prop_map(|(zone, transition, fixed)| Era {
        zone,
        transition,
        fixed,
    })
}

/// Where something begins.
#[derive(Debug, Clone)]
pub(crate) enum Start {
    /// Seconds from the anchor.
    Anchor(i64),
    /// Microseconds from the session's start.
    Session(i64),
    /// A UTC midnight some days from the session's start, and seconds from it.
    UtcMidnight(i64, i64),
    /// A midnight of the case's zone, and microseconds from it.
    LocalMidnight(i64, i64),
}

/// Points of one series at even or random distances.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    metric: Index,
    start: Start,
    step: Pace,
    n: usize,
    numbers: Numbers,
    seed: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    Every(i64),
    /// At random within so many microseconds.
    Random(i64),
}

fn run() -> impl Strategy<Value = Run> {
    let start = prop_oneof![
        3 => (-90_000_i64..90_000).prop_map(Start::Anchor),
        2 => (-DAY..31 * DAY).prop_map(Start::Session),
        1 => (-DAY / 3_600 / SECOND..31 * DAY / 3_600 / SECOND).prop_map(|h| Start::Session(h * 3_600 * SECOND)),
        2 => (-1_i64..31, -200_i64..=0).prop_map(|(day, s)| Start::UtcMidnight(day, s)),
        2 => (-1_i64..31, -3_i64..=3).prop_map(|(day, micros)| Start::LocalMidnight(day, micros)),
    ];
    let step = prop_oneof![
        6 => Just(Pace::Every(SECOND)),
        1 => Just(Pace::Every(0)),
        1 => Just(Pace::Every(250_000)),
        1 => Just(Pace::Every(1)),
        2 => Just(Pace::Every(60 * SECOND)),
        2 => Just(Pace::Every(1_800 * SECOND)),
        1 => Just(Pace::Every(7 * 3_600 * SECOND)),
        1 => Just(Pace::Every(DAY)),
        2 => (1_i64..31 * DAY).prop_map(Pace::Random),
        1 => (1_i64..100).prop_map(Pace::Random),
    ];
    // The last is more than a block holds.
    let n = prop_oneof![20 => 1_usize..5, 30 => 5_usize..40, 40 => 20_usize..300, 1 => 4_090_usize..4_200];
    (
        any::<Index>(),
        start,
        step,
        n,
        select(NUMBERS.to_vec()),
        any::<u64>(),
    )
        .prop_map(|(metric, start, step, n, numbers, seed)| Run {
            metric,
            start,
            step,
            n,
            numbers,
            seed,
        })
}

/// A recording before it is known when and of what it is.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    /// Seconds from the anchor.
    start: i64,
    has_start: bool,
    runs: Vec<Run>,
    /// In which order the points are posted.
    shuffle: Option<u64>,
}

pub(crate) fn recording() -> impl Strategy<Value = Recording> {
    let start = prop_oneof![
        5 => -200_000_i64..200_000,
        2 => -60 * 86_400_i64..60 * 86_400,
        1 => -900 * 86_400_i64..900 * 86_400,
    ];
    (
        start,
        prop::bool::weighted(0.8),
        prop_oneof![1 => vec(run(), 0..2), 5 => vec(run(), 2..6)],
        proptest::option::weighted(0.5, any::<u64>()),
    )
        .prop_map(|(start, has_start, runs, shuffle)| Recording {
            start,
            has_start,
            runs,
            shuffle,
        })
}

impl Recording {
    pub(crate) fn session(&self, id: Uuid, era: &Era, catalogue: &[Metric]) -> Session {
        let anchor = era.anchor();
        let calendar = Calendar {
            zone: zone(ZONES[era.zone]),
            ..Calendar::utc()
        };
        let start = (anchor + self.start * SECOND).clamp(EARLIEST, LATEST - 40 * DAY);
        let window = start - DAY..=start + 31 * DAY;
        let mut points = Vec::new();
        for run in &self.runs {
            let first = match run.start {
                Start::Anchor(seconds) => anchor + seconds * SECOND,
                Start::Session(micros) => start + micros,
                Start::UtcMidnight(day, seconds) => {
                    (start.div_euclid(DAY) + day) * DAY + seconds * SECOND
                }
                Start::LocalMidnight(day, micros) => {
                    calendar.midnight(date_of(day_number(calendar.day_of(start)) + day)) + micros
                }
            };
            let metric = run.metric.index(catalogue.len());
            for place in 0..run.n {
                let mut dice = Dice::of(run.seed, place);
                let time = first
                    + match run.step {
                        Pace::Every(step) => step * place as i64,
                        Pace::Random(within) => dice.below(within as u64) as i64,
                    };
                if window.contains(&time) {
                    points.push(Point {
                        metric,
                        time,
                        value: catalogue[metric].value(run.numbers, &mut dice),
                    });
                }
            }
        }
        if !self.has_start {
            let earliest = points.iter().map(|p| p.time).min().unwrap_or_default();
            points.retain(|p| p.time <= earliest + 31 * DAY);
        }
        if let Some(seed) = self.shuffle {
            let mut dice = Dice::new(seed);
            for last in (1..points.len()).rev() {
                points.swap(last, dice.below(last as u64 + 1) as usize);
            }
        }
        Session {
            id,
            start: self.has_start.then_some(start),
            points,
        }
    }
}

/// What a client does to the session in a slot.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Post(Recording),
    PostReplacing(Recording),
    PostIgnoring(Recording),
    Put(Recording),
    /// The same again; by other words where told.
    Again {
        by_put: bool,
        respelled: bool,
    },
    Delete,
}

pub(crate) const SLOTS: usize = 6;

pub(crate) fn acts(most: usize) -> impl Strategy<Value = Vec<(usize, Act)>> {
    let act = prop_oneof![
        8 => recording().prop_map(Act::Post),
        1 => recording().prop_map(Act::PostReplacing),
        1 => recording().prop_map(Act::PostIgnoring),
        2 => recording().prop_map(Act::Put),
        2 => any::<(bool, bool)>().prop_map(|(by_put, respelled)| Act::Again { by_put, respelled }),
        1 => Just(Act::Delete),
    ];
    vec((0..SLOTS, act), 1..most)
}
