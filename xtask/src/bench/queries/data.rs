//! The data that is asked for: four kinds of users, each as big as its figures want it.

#![expect(clippy::cast_possible_wrap, reason = "nobody posts 2^63 sessions")]

use time_series_domain::{Clock, Timestamp};
use time_series_infra::local::SystemClock;
use uuid::Uuid;

use crate::bench::ground::Ground;
use crate::load::{Body, MICROS_PER_SECOND, RandomSessions, Sessions, Shape};

/// The series that is asked for.
const SERIES: &str = "session.gut_health_score";
/// Another one, which has points too.
const OTHER: &str = "session.urine.night_count";

/// How many points a session at 1 Hz has.
const PULSE_POINTS: usize = 1_000;
const DAY: i64 = 86_400;
const YEAR_DAYS: usize = 365;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dataset {
    /// 25,000 sessions of ten points of three series, over two years: the original stress load.
    Small,
    /// 1,000 sessions of 1,000 points at 1 Hz, over half a year.
    Long,
    /// A week at 1 Hz: 600 sessions of 1,000 points, one after the other.
    Week,
    /// 1,000 users, each with a session of three points a day, for a year.
    Cohort,
    /// 10,000 sessions of 1,000 points at 1 Hz, over 720 days.
    Export,
}

/// What was loaded.
pub(super) struct Data {
    pub(super) users: Vec<Uuid>,
    pub(super) series: &'static str,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Of all series.
    pub(super) points: usize,
}

impl Dataset {
    pub(super) const ALL: [Self; 5] = [
        Self::Small,
        Self::Long,
        Self::Week,
        Self::Cohort,
        Self::Export,
    ];

    /// Posts it. All of it lies before this midnight, but for the stress load, which is up to two days old.
    pub(super) async fn load(self, ground: &mut Ground<'_>) -> anyhow::Result<Data> {
        let bench = ground.bench;
        let today = SystemClock.now().utc_day().start();
        let pulse = |sessions: usize, days: i64| Pulse {
            users: vec![Uuid::new_v4()],
            start: today.plus_days(-days),
            every: days * DAY / sessions as i64,
            sessions: bench.scaled(sessions),
        };
        match self {
            Self::Small => {
                let sessions = bench.scaled(25_000);
                let load = RandomSessions::new(1, sessions, 10, Shape::Seed);
                post(
                    ground,
                    load,
                    today.plus_days(-730)..today.plus_days(1),
                    sessions * 10,
                )
                .await
            }
            Self::Long => post_pulse(ground, pulse(1_000, 180), today).await,
            Self::Week => post_pulse(ground, pulse(600, 7), today).await,
            Self::Export => post_pulse(ground, pulse(10_000, 720), today).await,
            Self::Cohort => {
                let users = (0..bench.scaled(1_000)).map(|_| Uuid::new_v4()).collect();
                let start = today.plus_days(-(YEAR_DAYS as i64));
                let load = Daily { users, start };
                let points = load.count() * 3;
                post(ground, load, start..today, points).await
            }
        }
    }
}

async fn post_pulse(ground: &mut Ground<'_>, load: Pulse, end: Timestamp) -> anyhow::Result<Data> {
    let (start, points) = (load.start, load.sessions * PULSE_POINTS);
    post(ground, load, start..end, points).await
}

async fn post<S: Sessions>(
    ground: &mut Ground<'_>,
    load: S,
    range: std::ops::Range<Timestamp>,
    points: usize,
) -> anyhow::Result<Data> {
    let users = load.users().to_vec();
    ground.load(load).await?;
    Ok(Data {
        users,
        series: SERIES,
        start: range.start,
        end: range.end,
        points,
    })
}

/// Sessions at 1 Hz, one every so many seconds: values that wander, with one decimal.
struct Pulse {
    users: Vec<Uuid>,
    start: Timestamp,
    every: i64,
    sessions: usize,
}

impl Sessions for Pulse {
    fn count(&self) -> usize {
        self.sessions
    }

    fn users(&self) -> &[Uuid] {
        &self.users
    }

    fn body(&self, number: usize) -> String {
        let mut random = fastrand::Rng::with_seed(number as u64);
        let start = self
            .start
            .plus_micros(number as i64 * self.every * MICROS_PER_SECOND);
        let mut body = Body::new(self.users[0], number, start);
        let mut tenths = random.i32(500..1_000);
        for second in 0..PULSE_POINTS {
            tenths = (tenths + random.i32(-10..=10)).clamp(400, 1_800);
            let time = start.plus_micros(second as i64 * MICROS_PER_SECOND);
            body.point(
                SERIES,
                time,
                format_args!(r#"{{"value":{}.{}}}"#, tenths / 10, tenths % 10),
            );
        }
        body.end()
    }
}

/// A short session a day of every user, in the order of time.
struct Daily {
    users: Vec<Uuid>,
    start: Timestamp,
}

impl Sessions for Daily {
    fn count(&self) -> usize {
        self.users.len() * YEAR_DAYS
    }

    fn users(&self) -> &[Uuid] {
        &self.users
    }

    fn body(&self, number: usize) -> String {
        let mut random = fastrand::Rng::with_seed(number as u64);
        let (day, user) = (number / self.users.len(), number % self.users.len());
        let start = self
            .start
            .plus_days(day as i64)
            .plus_micros(random.i64(0..20 * 60) * 60 * MICROS_PER_SECOND);
        let mut body = Body::new(self.users[user], number, start);
        for minutes in [1, 2] {
            let score = f64::from(random.u32(0..=1_000)) / 10.0;
            let time = start.plus_micros(minutes * 60 * MICROS_PER_SECOND);
            body.point(SERIES, time, format_args!(r#"{{"value":{score}}}"#));
        }
        let time = start.plus_micros(3 * 60 * MICROS_PER_SECOND);
        body.point(
            OTHER,
            time,
            format_args!(r#"{{"value":{}}}"#, random.u8(0..=5)),
        );
        body.end()
    }
}
