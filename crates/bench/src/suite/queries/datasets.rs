//! The datasets: four kinds of users, each with the data that its figures need.

#![expect(clippy::cast_possible_wrap, reason = "nobody posts 2^63 sessions")]

use time_series_domain::{Clock, Timestamp};
use time_series_infra::local::SystemClock;
use uuid::Uuid;

use crate::load::{Body, MICROS_PER_SECOND, RandomSessions, Sessions, Shape};
use crate::suite::environment::Environment;

/// The queried series.
const SERIES: &str = "session.gut_health_score";
/// Another series, which is not queried.
const OTHER: &str = "session.urine.night_count";

/// Points per session at 1 Hz.
const PULSE_POINTS: usize = 1_000;
const DAY: i64 = 86_400;
const YEAR_DAYS: usize = 365;

/// A dataset.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dataset {
    /// 25,000 sessions of ten points of three series, over two years: the original stress load.
    Small,
    /// 1,000 sessions of 1,000 points at 1 Hz, over half a year.
    Long,
    /// 600 consecutive sessions of 1,000 points at 1 Hz, over a week.
    Week,
    /// 1,000 users with one session of three points per day, over a year.
    Cohort,
    /// 10,000 sessions of 1,000 points at 1 Hz, over 720 days.
    Export,
}

/// A loaded dataset.
pub(super) struct Data {
    pub(super) users: Vec<Uuid>,
    pub(super) series: &'static str,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// The number of points of all series.
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

    /// Posts the dataset. Points are before the last midnight; those of the stress load end two
    /// days before now.
    pub(super) async fn load(self, environment: &mut Environment<'_>) -> anyhow::Result<Data> {
        let bench = environment.bench;
        let today = SystemClock.now().utc_day().start();
        let pulse = |sessions: usize, days: i64| Pulse {
            users: vec![Uuid::new_v4()],
            start: today.plus_days(-days),
            interval: days * DAY / sessions as i64,
            sessions: bench.scaled(sessions),
        };
        match self {
            Self::Small => {
                let sessions = bench.scaled(25_000);
                let load = RandomSessions::new(1, sessions, 10, Shape::Seed);
                post(
                    environment,
                    load,
                    today.plus_days(-730)..today.plus_days(1),
                    sessions * 10,
                )
                .await
            }
            Self::Long => post_pulse(environment, pulse(1_000, 180), today).await,
            Self::Week => post_pulse(environment, pulse(600, 7), today).await,
            Self::Export => post_pulse(environment, pulse(10_000, 720), today).await,
            Self::Cohort => {
                let users = (0..bench.scaled(1_000)).map(|_| Uuid::new_v4()).collect();
                let start = today.plus_days(-(YEAR_DAYS as i64));
                let load = Daily { users, start };
                let points = load.count() * 3;
                post(environment, load, start..today, points).await
            }
        }
    }
}

async fn post_pulse(
    environment: &mut Environment<'_>,
    load: Pulse,
    end: Timestamp,
) -> anyhow::Result<Data> {
    let (start, points) = (load.start, load.sessions * PULSE_POINTS);
    post(environment, load, start..end, points).await
}

async fn post<S: Sessions>(
    environment: &mut Environment<'_>,
    load: S,
    range: std::ops::Range<Timestamp>,
    points: usize,
) -> anyhow::Result<Data> {
    let users = load.users().to_vec();
    environment.load(load).await?;
    Ok(Data {
        users,
        series: SERIES,
        start: range.start,
        end: range.end,
        points,
    })
}

/// Sessions at 1 Hz in a fixed interval. The values are a random walk with one decimal.
struct Pulse {
    users: Vec<Uuid>,
    start: Timestamp,
    /// Seconds between the starts of two sessions.
    interval: i64,
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
            .plus_micros(number as i64 * self.interval * MICROS_PER_SECOND);
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

/// One short session per day of every user, ordered by day.
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
