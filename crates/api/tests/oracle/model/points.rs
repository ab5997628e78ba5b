//! The stored points as queries for points should return them.

use std::fmt;

use uuid::Uuid;

use crate::fixture::Fixture;
use crate::fixture::calendar::timestamp;
use crate::fixture::json::Json;
use crate::fixture::metric_type::MetricType;
use crate::fixture::session::Point;
use crate::runner::user_state::UserState;

/// A stored point.
#[derive(Clone)]
pub(crate) struct ExpectedPoint<'a> {
    pub(crate) time: i64,
    pub(crate) metric_type: &'a MetricType,
    pub(crate) session: Uuid,
    pub(crate) arrival: usize,
    pub(crate) value: &'a Json,
}

impl<'a> ExpectedPoint<'a> {
    pub(crate) fn series(&self) -> &'a str {
        &self.metric_type.series
    }

    pub(crate) fn has_number(&self) -> bool {
        let mut leaves = self.metric_type.leaves.iter();
        leaves.any(|path| self.value.leaf(path).is_some())
    }
}

impl fmt::Display for ExpectedPoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            time,
            session,
            value,
            ..
        } = self;
        let time = timestamp(*time);
        write!(f, "{time} {} {session} {value}", self.series())
    }
}

/// All points of a user, by session and arrival.
pub(crate) fn stored_points<'a>(
    fixture: &'a Fixture,
    state: &'a UserState,
) -> impl Iterator<Item = ExpectedPoint<'a>> {
    state.sessions.values().flat_map(|session| {
        let point = |(arrival, point): (usize, &'a Point)| ExpectedPoint {
            time: point.time,
            metric_type: &fixture.catalogue[point.metric_index],
            session: session.id,
            arrival,
            value: &point.value,
        };
        session.points.iter().enumerate().map(point)
    })
}
