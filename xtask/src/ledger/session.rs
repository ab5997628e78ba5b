//! Sessions whose content follows from their number.

use time_series_domain::Timestamp;
use uuid::Uuid;

use crate::load::Body;

const SERIES: &str = "session.gut_health_score";
const MICROS_PER_SECOND: i64 = 1_000_000;
/// 2025-01-01T00:00:00Z
const FIRST_START: i64 = 1_735_689_600;
const MOST_POINTS: usize = 60;
/// The points of a session lie so far apart: long ones cross midnight.
const STEP_SECONDS: i64 = 1_800;

/// The sessions there are, and whose.
pub(super) struct Sessions {
    users: Vec<Uuid>,
}

/// What must be found of a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Content {
    pub(super) points: i64,
    /// Exact: tenths, of which few are added.
    pub(super) tenths: i64,
}

impl Sessions {
    pub(super) fn new(users: usize) -> Self {
        Self { users: (0..users).map(|_| Uuid::new_v4()).collect() }
    }

    pub(super) fn users(&self) -> &[Uuid] {
        &self.users
    }

    pub(super) fn user(&self, number: usize) -> Uuid {
        self.users[number % self.users.len()]
    }

    /// As [`Body`] names it.
    pub(super) fn id(&self, number: usize) -> Uuid {
        Uuid::new_v5(&self.user(number), &number.to_le_bytes())
    }

    pub(super) fn content(number: usize) -> Content {
        let points = Self::points(number);
        let tenths = (0..points).map(|place| Self::tenths(number, place)).sum();
        Content { points: i64::try_from(points).unwrap_or(i64::MAX), tenths }
    }

    pub(super) fn body(&self, number: usize) -> String {
        let seconds =
            |place: usize| FIRST_START + Self::offset(number) + STEP_SECONDS * i64::try_from(place).unwrap_or(0);
        let at = |place| Timestamp::from_micros(seconds(place) * MICROS_PER_SECOND);
        let mut body = Body::new(self.user(number), number, at(0));
        for place in 0..Self::points(number) {
            let tenths = Self::tenths(number, place);
            body.point(SERIES, at(place), format_args!(r#"{{"value":{}.{}}}"#, tenths / 10, tenths % 10));
        }
        body.end()
    }

    const fn points(number: usize) -> usize {
        1 + number * 7 % MOST_POINTS
    }

    /// Sessions of many users share some hundred days.
    fn offset(number: usize) -> i64 {
        i64::try_from(number % 300).unwrap_or(0) * 86_400 + i64::try_from(number % 24).unwrap_or(0) * 3_600
    }

    fn tenths(number: usize, place: usize) -> i64 {
        i64::try_from((number * 31 + place * 17) % 1_000).unwrap_or(0)
    }
}
