//! The sessions that a user should have, and the requests that led to them.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::fixture::session::{Point, Session};

/// Maximum characters of a request in a failure report.
const MAX_REQUEST_CHARS: usize = 3_000;

/// The stored sessions of a user.
#[derive(Debug, Clone)]
pub(crate) struct UserState {
    pub(crate) user: Uuid,
    /// The sessions by slot.
    pub(crate) sessions: BTreeMap<usize, Session>,
    requests: Vec<String>,
}

impl UserState {
    pub(crate) fn new(user: Uuid) -> Self {
        Self {
            user,
            sessions: BTreeMap::new(),
            requests: Vec::new(),
        }
    }

    pub(crate) fn points(&self) -> Vec<&Point> {
        self.sessions.values().flat_map(|s| &s.points).collect()
    }

    /// Records a request for failure reports.
    pub(crate) fn record(&mut self, request: String) {
        self.requests.push(request);
    }

    /// The user and the recorded requests, each cut to a maximum length.
    pub(crate) fn report(&self) -> String {
        let cut = |request: &String| request.chars().take(MAX_REQUEST_CHARS).collect::<String>();
        let requests: Vec<String> = self.requests.iter().map(cut).collect();
        format!("user {}:\n{}", self.user, requests.join("\n"))
    }
}

/// Adds the query and the recorded requests of all users to a failure.
pub(crate) fn with_report(failure: &str, query: &str, states: &[UserState]) -> String {
    let reports: Vec<String> = states.iter().map(UserState::report).collect();
    format!("{failure}\nGET {query}\nafter\n{}", reports.join("\n"))
}

/// Returns the session id of a slot of a user. Ids are not in the order of slots, so that no tie is
/// broken correctly by chance.
pub(crate) fn session_id(user: Uuid, slot: usize) -> Uuid {
    let multiplier = 0x9E37_79B9_7F4A_7C15_u128 << 64;
    Uuid::from_u128(user.as_u128() ^ multiplier.wrapping_mul(slot as u128 + 1))
}
