//! The sessions of the original stress test: random values of the three series of the original system.

#![expect(clippy::cast_possible_wrap, reason = "nobody posts 2^63 sessions")]

use clap::ValueEnum;
use time_series_domain::{Clock, Timestamp};
use time_series_infra::local::SystemClock;
use uuid::Uuid;

use super::{Body, MICROS_PER_SECOND, Sessions};

/// The sessions start within the last two years, as far as the queries look.
const DAYS: i64 = 728;
/// A session lasts at most so long, so that none ends in the future.
const ROOM_DAYS: i64 = 2;

/// What a session looks like.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// As in the original: points of random series at random minutes of an hour.
    Seed,
    /// Three series at 1 Hz.
    Hz,
    /// The same, as columns.
    HzColumns,
}

/// Sessions spread evenly over two years, taken in turn by the users.
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
        let seconds = (DAYS - ROOM_DAYS) * 86_400;
        let after = seconds * number as i64 / self.sessions as i64;
        let start = self
            .now
            .plus_days(-DAYS)
            .plus_micros(after * MICROS_PER_SECOND);
        let start = Timestamp::from_micros(start.micros() / MICROS_PER_SECOND * MICROS_PER_SECOND);
        let mut body = Body::new(self.users[number % self.users.len()], number, start);
        if self.shape == Shape::HzColumns {
            self.columns(&mut body, start, &mut random);
            return body.end();
        }
        for i in 0..self.points {
            let (series, after) = match self.shape {
                Shape::Seed => (random.usize(0..3), random.i64(1..=60) * 60),
                Shape::Hz | Shape::HzColumns => (i % 3, i as i64 / 3),
            };
            let time = start.plus_micros(after * MICROS_PER_SECOND);
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
        let mut list = |n: usize, value: &mut dyn FnMut(&mut fastrand::Rng) -> String| {
            (0..n).map(|_| value(random)).collect::<Vec<_>>().join(",")
        };
        let mut byte = |random: &mut fastrand::Rng| random.u8(..).to_string();
        let (r, g, b) = (
            list(count(0), &mut byte),
            list(count(0), &mut byte),
            list(count(0), &mut byte),
        );
        body.columns(
            "session.urine.color",
            start,
            format_args!(r#"{{"r":[{r}],"g":[{g}],"b":[{b}]}}"#),
        );
        let score = list(count(1), &mut |random| {
            (f64::from(random.u32(0..=1_000)) / 10.0).to_string()
        });
        body.columns(
            "session.gut_health_score",
            start,
            format_args!(r#"{{"value":[{score}]}}"#),
        );
        let nights = list(count(2), &mut |random| random.u8(0..=5).to_string());
        body.columns(
            "session.urine.night_count",
            start,
            format_args!(r#"{{"value":[{nights}]}}"#),
        );
    }
}
