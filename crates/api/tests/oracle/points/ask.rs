//! Random questions for points, and which points there are by the definition.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use uuid::Uuid;

use crate::ask::{Edge, SERIES, Series, edges, selects};
use crate::calendar::{Calendar, DAY, timestamp};
use crate::generate::{Act, Era, acts, era};
use crate::json::Json;
use crate::metrics::Metric;
use crate::model::Point;
use crate::play::{Outcome, State, World};
use crate::wide::ask::{Parameters, add_series};
use crate::wide::clauses::{Clause, clauses, conditions};

/// A question before it is known about what data.
#[derive(Debug, Clone)]
pub(crate) struct PointAsk {
    pub(crate) series: Series,
    /// Only that of a point.
    pub(crate) session: Option<Index>,
    /// Ask for a session's points where they are said to be: under the session.
    pub(crate) nested: bool,
    pub(crate) edges: (Option<Edge>, Option<Edge>),
    pub(crate) clauses: Vec<Clause>,
    pub(crate) descending: Option<bool>,
    /// In how many pages, about.
    pub(crate) pages: usize,
    pub(crate) method: Option<&'static str>,
    /// In hundredths of the points there are.
    pub(crate) at_most: usize,
}

/// What a user does, and questions about it.
#[derive(Debug, Clone)]
pub(crate) struct PointCase {
    pub(crate) era: Era,
    pub(crate) acts: Vec<(usize, Act)>,
    pub(crate) asks: Vec<PointAsk>,
}

fn point_ask() -> impl Strategy<Value = PointAsk> {
    let series = prop_oneof![
        1 => select(SERIES.to_vec()).prop_map(Series::Listed),
        1 => any::<Index>().prop_map(Series::OfPoint),
        1 => Just(Series::Listed("")),
    ];
    let session = proptest::option::weighted(0.4, any::<Index>());
    let ends = (prop::bool::weighted(0.6), prop::bool::weighted(0.6));
    let range = (edges(), ends).prop_map(|((start, end), (has_start, has_end))| {
        (has_start.then_some(start), has_end.then_some(end))
    });
    let method = select(vec![None, Some("lttb"), Some("minmax")]);
    let order = select(vec![None, Some(false), Some(true)]);
    (
        series,
        session,
        any::<bool>(),
        range,
        clauses(),
        order,
        1_usize..14,
        method,
        1_usize..130,
    )
        .prop_map(
            |(series, session, nested, edges, clauses, descending, pages, method, at_most)| {
                PointAsk {
                    series,
                    session,
                    nested,
                    edges,
                    clauses,
                    descending,
                    pages,
                    method,
                    at_most,
                }
            },
        )
}

pub(crate) fn point_case(acts_at_most: usize, asks: usize) -> impl Strategy<Value = PointCase> {
    (era(), acts(acts_at_most), vec(point_ask(), asks)).prop_map(|(era, acts, asks)| PointCase {
        era,
        acts,
        asks,
    })
}

/// A point as it is to be answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted<'a> {
    pub(crate) time: i64,
    pub(crate) series: &'a str,
    pub(crate) session: Uuid,
    pub(crate) arrival: usize,
    pub(crate) value: &'a Json,
}

/// A question with its route, its parameters and its answer.
pub(crate) struct PointsAsked<'a> {
    pub(crate) route: String,
    pub(crate) parameters: Parameters,
    pub(crate) session: Option<Uuid>,
    /// As `SERIES` says it.
    pub(crate) words: &'a str,
    /// In order of time, series, session and arrival.
    pub(crate) points: Vec<Wanted<'a>>,
    /// Series that no point is wanted of, since they have no such leaf.
    pub(crate) skipped: Vec<&'a str>,
    /// The series of which the user has points.
    pub(crate) present: Vec<&'a str>,
}

impl<'a> PointsAsked<'a> {
    pub(crate) fn new(world: &'a World, state: &'a State, era: &Era, ask: &PointAsk) -> Self {
        let catalogue = &world.catalogue;
        let all = state.points();
        let words = ask.series.words(catalogue, &all);
        let about: Vec<&Point> = all
            .into_iter()
            .filter(|p| selects(words, &catalogue[p.metric].series).is_some())
            .collect();
        let mut parameters = Parameters(Vec::new());
        let ids: Vec<Uuid> = state.slots.values().map(|s| s.id).collect();
        let session = ask
            .session
            .filter(|_| !ids.is_empty())
            .map(|index| *index.get(&ids));
        let nested = ask.nested && session.is_some();
        let route = match session {
            Some(id) if nested => format!("/api/sessions/{id}/points/"),
            _ => "/api/points/".to_owned(),
        };
        if !nested || ask.pages.is_multiple_of(2) {
            parameters.add("user_id", state.user.to_string());
        }
        if let (Some(id), false) = (session, nested) {
            parameters.add("session_id", id.to_string());
        }
        add_series(&mut parameters, words);
        let times: Vec<i64> = about.iter().map(|p| p.time).collect();
        let (start, end) = range(&mut parameters, ask, era, &times);
        let conditions = conditions(&mut parameters, &ask.clauses, &about, catalogue);

        let lacks = |metric: &Metric| conditions.iter().any(|c| !c.is_about(metric));
        let selected = |metric: &&Metric| selects(words, &metric.series).is_some();
        let skipped = catalogue
            .iter()
            .filter(selected)
            .filter(|m| lacks(m))
            .map(|m| m.series.as_str())
            .collect();
        let present = state
            .points()
            .iter()
            .map(|p| catalogue[p.metric].series.as_str())
            .collect();
        let mut points = Vec::new();
        for stored in state
            .slots
            .values()
            .filter(|s| session.is_none_or(|only| only == s.id))
        {
            for (arrival, point) in stored.points.iter().enumerate() {
                let metric = &catalogue[point.metric];
                let in_range = start <= point.time && point.time < end;
                let fulfils = || conditions.iter().all(|c| c.holds(metric, &point.value));
                if selected(&metric) && in_range && fulfils() {
                    let (time, series, value) = (point.time, metric.series.as_str(), &point.value);
                    points.push(Wanted {
                        time,
                        series,
                        session: stored.id,
                        arrival,
                        value,
                    });
                }
            }
        }
        points.sort_by_key(|p| (p.time, p.series, p.session, p.arrival));
        Self {
            route,
            parameters,
            session,
            words,
            points,
            skipped,
            present,
        }
    }

    pub(crate) fn path(&self) -> String {
        self.parameters.path(&self.route)
    }
}

fn range(parameters: &mut Parameters, ask: &PointAsk, era: &Era, times: &[i64]) -> (i64, i64) {
    let place = |edge: &Option<Edge>| {
        edge.as_ref()
            .map(|edge| edge.place(era, &Calendar::utc(), times))
    };
    let (mut start, mut end) = (place(&ask.edges.0), place(&ask.edges.1));
    if let (Some(from), Some(to)) = (&start, &end) {
        if from.0 > to.0 {
            std::mem::swap(&mut start, &mut end);
        } else if from.0 == to.0 {
            end = Some((from.0 + DAY, timestamp(from.0 + DAY).to_string()));
        }
    }
    let mut add = |name: &'static str, edge: Option<(i64, String)>, otherwise: i64| {
        edge.map_or(otherwise, |(at, spelled)| {
            parameters.add(name, spelled);
            at
        })
    };
    (
        add("start_time", start, i64::MIN),
        add("end_time", end, i64::MAX),
    )
}

/// Plays a case, and checks each question.
pub(crate) async fn each(
    world: &World,
    case: &PointCase,
    check: impl AsyncFn(&World, &PointsAsked<'_>, &PointAsk) -> Outcome,
) -> Outcome {
    let state = world.play(Uuid::new_v4(), &case.era, &case.acts).await?;
    for ask in &case.asks {
        let asked = PointsAsked::new(world, &state, &case.era, ask);
        let checked = check(world, &asked, ask).await;
        checked.map_err(|e| format!("{e}\nof {}\nafter\n{}", asked.path(), state.told()))?;
    }
    Ok(())
}
