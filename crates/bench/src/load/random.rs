//! The sessions of the original stress test: random values of its three series.

#![expect(clippy::cast_possible_wrap, reason = "nobody posts 2^63 sessions")]

use clap::ValueEnum;
use time_series_domain::{Clock, Timestamp};
use time_series_infra::local::SystemClock;
use uuid::Uuid;

use super::body::Body;
use super::sessions::{MICROS_PER_SECOND, Sessions};

/// Days before now in which sessions start: the range of the queries.
const DAYS: i64 = 728;
/// Days before now in which no session starts, so that none ends in the future.
const MARGIN_DAYS: i64 = 2;

/// The shape of a session.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// Points of random series at random minutes of an hour, as in the original stress test.
    Seed,
    /// Three series at 1 Hz.
    Hz,
    /// Three series at 1 Hz, sent as columns.
    HzColumns,
}

/// Sessions spread evenly over two years, assigned to the users in turn.
pub(crate) struct RandomSessions {
    users: Vec<Uuid>,
    sessions: usize,
    points: usize,
    shape: Shape,
    now: Timestamp,
}

impl RandomSessions {
    pub(crate) fn new(users: usize, sessions: usize, points: usize, shape: Shape) -> Self {
        let users = (0..users).map(|_| Uuid::new_v4()).collect();
        Self {
            users,
            sessions,
            points,
            shape,
            now: SystemClock.now(),
        }
    }
}

impl Sessions for RandomSessions {
    fn count(&self) -> usize {
        self.sessions
    }

    fn users(&self) -> &[Uuid] {
        &self.users
    }

    fn body(&self, number: usize) -> String {
        let mut random = fastrand::Rng::with_seed(number as u64);
        let seconds = (DAYS - MARGIN_DAYS) * 86_400;
        let offset = seconds * number as i64 / self.sessions as i64;
        let start = self
            .now
            .plus_days(-DAYS)
            .plus_micros(offset * MICROS_PER_SECOND);
        let start = Timestamp::from_micros(start.micros() / MICROS_PER_SECOND * MICROS_PER_SECOND);
        let mut body = Body::new(self.users[number % self.users.len()], number, start);
        if self.shape == Shape::HzColumns {
            self.columns(&mut body, start, &mut random);
            return body.end();
        }
        for i in 0..self.points {
            let (series, offset) = match self.shape {
                Shape::Seed => (random.usize(0..3), random.i64(1..=60) * 60),
                Shape::Hz | Shape::HzColumns => (i % 3, i as i64 / 3),
            };
            let time = start.plus_micros(offset * MICROS_PER_SECOND);
            match series {
                0 => {
                    let (r, g, b) = (random.u8(..), random.u8(..), random.u8(..));
                    body.point(
                        "session.urine.color",
                        time,
                        format_args!(r#"{{"r":{r},"g":{g},"b":{b}}}"#),
                    );
                }
                1 => {
                    let score = f64::from(random.u32(0..=1_000)) / 10.0;
                    body.point(
                        "session.gut_health_score",
                        time,
                        format_args!(r#"{{"value":{score}}}"#),
                    );
                }
                _ => {
                    let count = random.u8(0..=5);
                    body.point(
                        "session.urine.night_count",
                        time,
                        format_args!(r#"{{"value":{count}}}"#),
                    );
                }
            }
        }
        body.end()
    }
}

impl RandomSessions {
    fn columns(&self, body: &mut Body, start: Timestamp, random: &mut fastrand::Rng) {
        let count = |series: usize| (self.points + 2 - series) / 3;
        let r = list(random, count(0), random_byte);
        let g = list(random, count(0), random_byte);
        let b = list(random, count(0), random_byte);
        body.columns(
            "session.urine.color",
            start,
            format_args!(r#"{{"r":[{r}],"g":[{g}],"b":[{b}]}}"#),
        );
        let score = list(random, count(1), |random| {
            (f64::from(random.u32(0..=1_000)) / 10.0).to_string()
        });
        body.columns(
            "session.gut_health_score",
            start,
            format_args!(r#"{{"value":[{score}]}}"#),
        );
        let nights = list(random, count(2), |random| random.u8(0..=5).to_string());
        body.columns(
            "session.urine.night_count",
            start,
            format_args!(r#"{{"value":[{nights}]}}"#),
        );
    }
}

/// Returns `count` random values, separated by commas.
fn list(
    random: &mut fastrand::Rng,
    count: usize,
    value: impl Fn(&mut fastrand::Rng) -> String,
) -> String {
    let values: Vec<String> = (0..count).map(|_| value(random)).collect();
    values.join(",")
}

fn random_byte(random: &mut fastrand::Rng) -> String {
    random.u8(..).to_string()
}
