//! A session in which every point has its metric type, a plausible time and a value that fits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::numeric_points::{NumericPoints, NumericSeries};
use super::place::Place;
use super::raw_points::RawPoints;
use super::{RawSession, Reject, RejectCode, Rejects};
use crate::block::SeriesColumns;
use crate::metric_type::{Catalogue, MetricType};
use crate::session::{Join, TimeRuleError};
use crate::{Json, SessionId, TimeRules, Timestamp, UserId};

/// A session that may be stored. Made by [`ValidSession::check`] only.
#[derive(Debug)]
pub struct ValidSession {
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) start_ts: Option<Timestamp>,
    /// By series name.
    pub(super) series: BTreeMap<String, ValidSeries>,
    /// The rules that its times were checked by.
    pub(super) rules: TimeRules,
}

#[derive(Debug)]
pub(super) struct ValidSeries {
    pub(super) metric_type: Arc<MetricType>,
    pub(super) points: ValidPoints,
}

#[derive(Debug)]
pub(super) enum ValidPoints {
    /// By (time, arrival); every number is a channel's.
    Numeric(NumericSeries),
    /// In order of arrival.
    Any(Vec<(Timestamp, Json)>),
}

type AnySeries = (Arc<MetricType>, Vec<(Timestamp, Json)>);

/// When points may be.
struct Bounds<'a> {
    rules: &'a TimeRules,
    now: Timestamp,
    start_ts: Option<Timestamp>,
    /// Their first point, where no other one bounds them.
    first: Option<Timestamp>,
    window: Option<(Timestamp, Timestamp)>,
}

impl ValidSession {
    /// Checks every point, also against the session that they join, and names every fault.
    ///
    /// # Errors
    /// [`Rejects`]: those of the raw session and those found here.
    pub fn check(
        raw: RawSession,
        catalogue: &Catalogue,
        rules: &TimeRules,
        now: Timestamp,
        join: Join,
    ) -> Result<Self, Rejects> {
        let mut rejects = raw.rejects;
        let start_ts = raw.start_ts;
        let (window, is_alone) = match join {
            Join::Alone => (None, true),
            Join::Unknown => (None, start_ts.is_some()),
            Join::To(extent) => (extent.window(rules), extent.start_ts.is_none()),
        };
        if raw.lacks_user {
            rejects.push(Reject {
                pointer: "/user_id".to_owned(),
                index: None,
                series: None,
                code: RejectCode::MissingField,
                message: "user_id is required".to_owned(),
            });
        }
        if let Some(Err(e)) = start_ts.map(|t| rules.check(t, now)) {
            rejects.push(Reject {
                pointer: "/start_ts".to_owned(),
                index: None,
                series: None,
                code: RejectCode::ImplausibleTime,
                message: format!("start_ts {e}"),
            });
        }
        if raw.session_id.is_none() && rejects.is_empty() {
            rejects.push(Reject {
                pointer: "/session_id".to_owned(),
                index: None,
                series: None,
                code: RejectCode::MissingField,
                message: "session_id is required".to_owned(),
            });
        }
        let first = if is_alone { raw.points.first() } else { None };
        let bounds = Bounds { rules, now, start_ts, first, window };
        let series = match raw.points.numeric().map(|points| numeric_series(points, catalogue, &bounds)) {
            Some(Ok(metric_types)) => {
                let points = raw.points.into_numeric().unwrap_or_default();
                Some(points.series.into_iter().zip(metric_types).map(ValidSeries::of_numbers).collect())
            }
            Some(Err(Misfit::Fault)) => any_series(raw.points, catalogue, &bounds, &mut rejects, false),
            Some(Err(Misfit::Remainder)) | None => {
                let is_whole = rejects.is_empty();
                any_series(raw.points, catalogue, &bounds, &mut rejects, is_whole)
            }
        };
        match (raw.user_id, raw.session_id, series) {
            (Some(user_id), Some(session_id), Some(series)) if rejects.is_empty() => {
                Ok(Self { user_id, session_id, start_ts, series, rules: *rules })
            }
            _ => {
                rejects.sort();
                Err(rejects)
            }
        }
    }

    /// How many points it has.
    #[must_use]
    pub fn points(&self) -> usize {
        self.series.values().map(|series| series.points.len()).sum()
    }

    /// Whose recording it is.
    #[must_use]
    pub const fn user_id(&self) -> UserId {
        self.user_id
    }

    /// Its id.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.session_id
    }

    pub(super) fn into_columns(self) -> Vec<SeriesColumns> {
        let columns = |ValidSeries { metric_type, points }| match points {
            ValidPoints::Numeric(series) => series.into_columns(&metric_type),
            ValidPoints::Any(points) => SeriesColumns::new(metric_type.id, &metric_type.pointers(), points),
        };
        self.series.into_values().map(columns).collect()
    }
}

impl ValidSeries {
    fn of_numbers((mut series, metric_type): (NumericSeries, Arc<MetricType>)) -> (String, Self) {
        series.sort();
        (series.name.as_ref().to_owned(), Self { metric_type, points: ValidPoints::Numeric(series) })
    }
}

impl ValidPoints {
    const fn len(&self) -> usize {
        match self {
            Self::Numeric(series) => series.times.len(),
            Self::Any(points) => points.len(),
        }
    }
}

impl Bounds<'_> {
    fn check(&self, t: Timestamp) -> Result<(), TimeRuleError> {
        self.rules.check(t, self.now)?;
        if let Some(first) = self.first {
            self.rules.check_in_session(t, self.start_ts, first)?;
        }
        TimeRules::check_in_window(t, self.window)
    }
}

/// Why points of numbers are not stored as the columns that they are.
enum Misfit {
    /// One at least has a fault.
    Fault,
    /// Not every number is a channel's.
    Remainder,
}

/// The metric type of each series, if every point is fit to be stored as it is.
fn numeric_series(
    points: &NumericPoints,
    catalogue: &Catalogue,
    bounds: &Bounds<'_>,
) -> Result<Vec<Arc<MetricType>>, Misfit> {
    if points.series.iter().flat_map(|series| &series.times).any(|t| bounds.check(*t).is_err()) {
        return Err(Misfit::Fault);
    }
    let metric_type = |series: &NumericSeries| {
        let metric_type = catalogue.get(&series.name).ok_or(Misfit::Fault)?;
        if !series.fits(&metric_type.schema) {
            return Err(Misfit::Fault);
        }
        if series.is_of_channels(metric_type) { Ok(Arc::clone(metric_type)) } else { Err(Misfit::Remainder) }
    };
    points.series.iter().map(metric_type).collect()
}

/// The points of each series, every fault noted; `None` once one has a fault, or where that is known before.
fn any_series(
    points: RawPoints,
    catalogue: &Catalogue,
    bounds: &Bounds<'_>,
    rejects: &mut Rejects,
    mut is_whole: bool,
) -> Option<BTreeMap<String, ValidSeries>> {
    let (points, places) = points.into_placed();
    let mut all: BTreeMap<String, AnySeries> = BTreeMap::new();
    for (number, point) in points.enumerate() {
        let place = places.of(number);
        let mut check = PointCheck { place, series: point.series.as_deref(), rejects };
        if let Some(Err(e)) = point.time.map(|t| bounds.check(t)) {
            check.reject(&place.time(), RejectCode::ImplausibleTime, format!("time {e}"));
        }
        let Some(name) = &point.series else { continue };
        let Some(metric_type) = catalogue.get(name) else {
            if place.is_first_of_entry() {
                check.unknown_series(name, catalogue);
            }
            continue;
        };
        let Some(value) = point.value else { continue };
        let value = if let Place::Row(_) = place { metric_type.value_of_row(value) } else { value };
        for violation in metric_type.schema.violations(&value) {
            let at = place.value(&violation.pointer);
            check.reject(&at, RejectCode::SchemaViolation, violation.message);
        }
        if is_whole && !rejects.is_empty() {
            is_whole = false;
            all.clear();
        }
        if let Some(time) = point.time.filter(|_| is_whole) {
            if let Some((_, known)) = all.get_mut(&**name) {
                known.push((time, value));
            } else {
                all.insert(name.as_ref().to_owned(), (Arc::clone(metric_type), vec![(time, value)]));
            }
        }
    }
    let valid = |(metric_type, points)| ValidSeries { metric_type, points: ValidPoints::Any(points) };
    is_whole.then(|| all.into_iter().map(|(name, series)| (name, valid(series))).collect())
}

struct PointCheck<'a> {
    place: Place,
    series: Option<&'a str>,
    rejects: &'a mut Rejects,
}

impl PointCheck<'_> {
    fn reject(&mut self, at: &str, code: RejectCode, message: String) {
        self.rejects.push(Reject {
            pointer: format!("{}{at}", self.place.entry()),
            index: self.place.index(),
            series: self.series.map(str::to_owned),
            code,
            message,
        });
    }

    fn unknown_series(&mut self, name: &str, catalogue: &Catalogue) {
        // What is not listed needs no hint.
        let suggestions = if self.rejects.is_full() { Vec::new() } else { catalogue.suggestions(name) };
        let hint = if suggestions.is_empty() {
            "GET /api/metrictypes/ lists those there are".to_owned()
        } else {
            format!("did you mean {}?", suggestions.join(" or "))
        };
        let message = format!("no metric type is named {name:?}; {hint}");
        self.reject("/series", RejectCode::UnknownSeries, message);
    }
}
