//! Sessions whose content follows from their number.

use time_series_domain::Timestamp;
use uuid::Uuid;

use crate::load::{Body, post_request as post};

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
        Self {
            users: (0..users).map(|_| Uuid::new_v4()).collect(),
        }
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

    /// In how many parts it is sent: some are appended to.
    pub(super) const fn parts(number: usize) -> usize {
        if number.is_multiple_of(3) && Self::points(number) > 1 {
            2
        } else {
            1
        }
    }

    /// What it has with its first `parts` parts.
    pub(super) fn content(number: usize, parts: usize) -> Content {
        let places = || (0..parts).flat_map(|part| Self::places(number, part));
        let points = i64::try_from(places().count()).unwrap_or(i64::MAX);
        Content {
            points,
            tenths: places().map(|place| Self::tenths(number, place)).sum(),
        }
    }

    /// The request that sends a part.
    pub(super) fn request(&self, address: &str, number: usize, part: usize) -> Vec<u8> {
        let body = self.body(number, part);
        if part == 0 {
            return post(address, "/api/sessions/", "", &body);
        }
        let path = format!(
            "/api/sessions/{}/points/?user_id={}",
            self.id(number),
            self.user(number)
        );
        // Retries are known by their key, or by their content.
        let key = format!("idempotency-key: part-{part}\r\n");
        post(
            address,
            &path,
            if number.is_multiple_of(2) { &key } else { "" },
            &body,
        )
    }

    /// The points of a part: those of the second lie between those of the first.
    fn places(number: usize, part: usize) -> impl Iterator<Item = usize> {
        (part..Self::points(number)).step_by(Self::parts(number))
    }

    fn body(&self, number: usize, part: usize) -> String {
        let seconds = |place: usize| {
            FIRST_START + Self::offset(number) + STEP_SECONDS * i64::try_from(place).unwrap_or(0)
        };
        let at = |place| Timestamp::from_micros(seconds(place) * MICROS_PER_SECOND);
        let mut body = Body::new(self.user(number), number, at(0));
        for place in Self::places(number, part) {
            let tenths = Self::tenths(number, place);
            body.point(
                SERIES,
                at(place),
                format_args!(r#"{{"value":{}.{}}}"#, tenths / 10, tenths % 10),
            );
        }
        body.end()
    }

    const fn points(number: usize) -> usize {
        1 + number * 7 % MOST_POINTS
    }

    /// Sessions of many users share some hundred days.
    fn offset(number: usize) -> i64 {
        i64::try_from(number % 300).unwrap_or(0) * 86_400
            + i64::try_from(number % 24).unwrap_or(0) * 3_600
    }

    fn tenths(number: usize, place: usize) -> i64 {
        i64::try_from((number * 31 + place * 17) % 1_000).unwrap_or(0)
    }
}
