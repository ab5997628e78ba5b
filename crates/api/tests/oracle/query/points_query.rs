//! Queries for raw points with their URL and the expected points.

use uuid::Uuid;

use crate::fixture::Fixture;
use crate::fixture::calendar::Calendar;
use crate::fixture::metric_type::MetricType;
use crate::fixture::session::Point;
use crate::generate::time_span::TimeSpan;
use crate::model::points::{ExpectedPoint, stored_points};
use crate::query::condition::{Condition, add_conditions};
use crate::query::parameters::Parameters;
use crate::query::points_spec::PointsSpec;
use crate::query::series::{add_series, is_selected};
use crate::query::time_range::TimeRange;
use crate::runner::user_state::UserState;

/// A query for points and its expected result.
pub(crate) struct PointsQuery<'a> {
    pub(crate) route: String,
    pub(crate) parameters: Parameters,
    pub(crate) session: Option<Uuid>,
    /// In the notation of `SELECTIONS`.
    pub(crate) selection: &'a str,
    /// By time, series, session and arrival.
    pub(crate) points: Vec<ExpectedPoint<'a>>,
    /// Selected series without a leaf that a condition names.
    pub(crate) skipped: Vec<&'a str>,
    /// The series of all points of the user.
    pub(crate) present: Vec<&'a str>,
}

impl<'a> PointsQuery<'a> {
    pub(crate) fn new(
        fixture: &'a Fixture,
        state: &'a UserState,
        time_span: &TimeSpan,
        spec: &PointsSpec,
    ) -> Self {
        let catalogue = &fixture.catalogue;
        let all = state.points();
        let selection = spec.series.resolve(catalogue, &all);
        let present = all
            .iter()
            .map(|p| catalogue[p.metric_index].series.as_str())
            .collect();
        let selected: Vec<&Point> = all
            .into_iter()
            .filter(|p| is_selected(selection, &catalogue[p.metric_index].series))
            .collect();
        let mut parameters = Parameters::default();
        let (route, session) = add_session(&mut parameters, spec, state);
        add_series(&mut parameters, selection);
        let times: Vec<i64> = selected.iter().map(|p| p.time).collect();
        let calendar = Calendar::utc();
        let range = spec
            .range
            .add_to(&mut parameters, time_span, &calendar, &times);
        let conditions = add_conditions(&mut parameters, &spec.conditions, &selected, catalogue);
        let lacks_leaf = |m: &MetricType| conditions.iter().any(|c| !c.applies_to(m));
        let skipped = catalogue
            .iter()
            .filter(|m| is_selected(selection, &m.series) && lacks_leaf(m))
            .map(|m| m.series.as_str())
            .collect();
        let mut points: Vec<ExpectedPoint<'_>> = stored_points(fixture, state)
            .filter(|p| is_selected(selection, p.series()))
            .filter(|p| session.is_none_or(|id| id == p.session) && matches(p, range, &conditions))
            .collect();
        points.sort_by_key(|p| (p.time, p.series(), p.session, p.arrival));
        Self {
            route,
            parameters,
            session,
            selection,
            points,
            skipped,
            present,
        }
    }

    pub(crate) fn path(&self) -> String {
        self.parameters.path(&self.route)
    }
}

fn matches(point: &ExpectedPoint<'_>, range: TimeRange, conditions: &[Condition]) -> bool {
    range.start.is_none_or(|start| start <= point.time)
        && range.end.is_none_or(|end| point.time < end)
        && conditions
            .iter()
            .all(|condition| condition.holds(point.metric_type, point.value))
}

/// Adds the user and the session; returns the route and the session.
fn add_session(
    parameters: &mut Parameters,
    spec: &PointsSpec,
    state: &UserState,
) -> (String, Option<Uuid>) {
    let ids: Vec<Uuid> = state.sessions.values().map(|s| s.id).collect();
    let session = spec
        .session
        .filter(|_| !ids.is_empty())
        .map(|index| *index.get(&ids));
    let below_session = session.filter(|_| spec.uses_session_route);
    if below_session.is_none() || spec.pages.is_multiple_of(2) {
        parameters.add("user_id", state.user.to_string());
    }
    if let Some(id) = below_session {
        return (format!("/api/sessions/{id}/points/"), session);
    }
    if let Some(id) = session {
        parameters.add("session_id", id.to_string());
    }
    ("/api/points/".to_owned(), session)
}
