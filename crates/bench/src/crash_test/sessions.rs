//! Sessions whose content is a function of their number.

use time_series_domain::Timestamp;
use uuid::Uuid;

use crate::load::{Body, MICROS_PER_SECOND, post_request, session_id};

const SERIES: &str = "session.gut_health_score";
/// The first start of a session in Unix seconds: 2025-01-01T00:00:00Z.
const FIRST_START: i64 = 1_735_689_600;
const MAX_POINTS: usize = 60;
/// Distance between the points of a session. Long sessions cross midnight.
const STEP_SECONDS: i64 = 1_800;

/// The sessions of a run.
pub(super) struct Sessions {
    users: Vec<Uuid>,
}

/// The stored content of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Content {
    pub(super) points: i64,
    /// The sum of the values in tenths, which is exact.
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

    /// Returns the id that [`Body`] gives to session `number`.
    pub(super) fn id(&self, number: usize) -> Uuid {
        session_id(self.user(number), number)
    }

    /// Returns the number of parts that the session is sent in. The second part is an append.
    pub(super) const fn parts(number: usize) -> usize {
        if number.is_multiple_of(3) && Self::points(number) > 1 {
            2
        } else {
            1
        }
    }

    /// Returns the content of the first `parts` parts.
    pub(super) fn content(number: usize, parts: usize) -> Content {
        let mut content = Content::default();
        for index in (0..parts).flat_map(|part| Self::indices(number, part)) {
            content.points += 1;
            content.tenths += Self::tenths(number, index);
        }
        content
    }

    /// Renders the request that sends a part.
    pub(super) fn request(&self, address: &str, number: usize, part: usize) -> Vec<u8> {
        let body = self.body(number, part);
        if part == 0 {
            return post_request(address, "/api/sessions/", "", &body);
        }
        let path = format!(
            "/api/sessions/{}/points/?user_id={}",
            self.id(number),
            self.user(number)
        );
        // The service recognises retries by their key, or by their content.
        let key = if number.is_multiple_of(2) {
            format!("idempotency-key: part-{part}\r\n")
        } else {
            String::new()
        };
        post_request(address, &path, &key, &body)
    }

    /// Returns the indices of the points of a part. The parts interleave.
    fn indices(number: usize, part: usize) -> impl Iterator<Item = usize> {
        (part..Self::points(number)).step_by(Self::parts(number))
    }

    fn body(&self, number: usize, part: usize) -> String {
        let mut body = Body::new(self.user(number), number, Self::time(number, 0));
        for index in Self::indices(number, part) {
            let tenths = Self::tenths(number, index);
            body.point(
                SERIES,
                Self::time(number, index),
                format_args!(r#"{{"value":{}.{}}}"#, tenths / 10, tenths % 10),
            );
        }
        body.end()
    }

    /// Returns the time of a point.
    fn time(number: usize, index: usize) -> Timestamp {
        let offset = STEP_SECONDS * i64::try_from(index).unwrap_or(0);
        let seconds = FIRST_START + Self::offset(number) + offset;
        Timestamp::from_micros(seconds * MICROS_PER_SECOND)
    }

    const fn points(number: usize) -> usize {
        1 + number * 7 % MAX_POINTS
    }

    /// Returns the start relative to the first one: many users share a few hundred days.
    fn offset(number: usize) -> i64 {
        i64::try_from(number % 300).unwrap_or(0) * 86_400
            + i64::try_from(number % 24).unwrap_or(0) * 3_600
    }

    fn tenths(number: usize, index: usize) -> i64 {
        i64::try_from((number * 31 + index * 17) % 1_000).unwrap_or(0)
    }
}
