//! A session in which every point has its metric type, a plausible time and a value that fits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columnar_values::{ColumnarSeries, ColumnarValues};
use super::draft_points::DraftPoints;
use super::location::{Location, Locations};
use super::raw_values::RawValues;
use super::{FieldError, FieldErrorCode, SessionDraft, ValidationErrors};
use crate::metric_type::{Catalogue, MetricType, StepBudget, Violation, ViolationKind};
use crate::model::{
    AppendTarget, SessionWindow, TimeRuleError, check_in_window, window_of_new_session,
};
use crate::text::{bounded, echo};
use crate::{Json, SessionId, TimeRules, Timestamp, UserId};

/// Numbers that a session may leave out, besides one for every byte of its text that it may have sent instead. Blocks have
/// an element per point and channel, whether it is there or not.
const FREE_GAPS: usize = 4_000_000;
/// Maximum length of the description of a error, in bytes.
const MAX_FAULT: usize = 500;

/// A session that may be stored. Made by [`ValidSession::check`] only.
#[derive(Debug)]
pub struct ValidSession<'a> {
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) start_ts: Option<Timestamp>,
    /// By series name.
    pub(super) series: BTreeMap<String, ValidSeries>,
    /// The points of all series that are not numeric.
    pub(super) values: Option<(RawValues<'a>, Locations)>,
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
    Numeric(ColumnarSeries),
    /// The numbers of the points in order of arrival.
    Values(Vec<u32>),
}

/// Bounds on the times of the points.
struct Bounds<'a> {
    rules: &'a TimeRules,
    now: Timestamp,
    /// The window of the points themselves, and that of the stored session.
    windows: [SessionWindow; 2],
}

impl<'a> ValidSession<'a> {
    /// Checks every point, also against the session that they join, and names every error.
    ///
    /// # Errors
    /// [`ValidationErrors`]: those of the raw session and those found here.
    pub fn check(
        raw: SessionDraft<'a>,
        catalogue: &Catalogue,
        rules: &TimeRules,
        now: Timestamp,
        target: AppendTarget,
    ) -> Result<Self, ValidationErrors> {
        let (mut raw, mut errors) = take_rejects(raw);
        let start_ts = raw.start_ts;
        let own = |first| window_of_new_session(start_ts, first, rules);
        let windows = match target {
            AppendTarget::Alone => [own(raw.points.first_time()), None],
            AppendTarget::Unknown => [own(None), None],
            // Points of a session without a start lie near each other as well.
            AppendTarget::To(extent) if extent.start_ts.is_none() => {
                [own(raw.points.first_time()), extent.window(rules)]
            }
            AppendTarget::To(extent) => [None, extent.window(rules)],
        };
        if raw.lacks_user {
            errors.push(FieldError {
                pointer: "/user_id".to_owned(),
                index: None,
                series: None,
                code: FieldErrorCode::MissingField,
                message: "user_id is required".to_owned(),
            });
        }
        if let Some(Err(e)) = start_ts.map(|t| rules.check(t, now)) {
            errors.push(FieldError {
                pointer: "/start_ts".to_owned(),
                index: None,
                series: None,
                code: FieldErrorCode::ImplausibleTime,
                message: format!("start_ts {e}"),
            });
        }
        if raw.session_id.is_none() && errors.is_empty() {
            errors.push(FieldError {
                pointer: "/session_id".to_owned(),
                index: None,
                series: None,
                code: FieldErrorCode::MissingField,
                message: "session_id is required".to_owned(),
            });
        }
        let bounds = Bounds {
            rules,
            now,
            windows,
        };
        let mut numeric = None;
        if let DraftPoints::Numeric(points) = &raw.points {
            match numeric_series(points, catalogue, &bounds) {
                Ok(metric_types) => numeric = Some(metric_types),
                Err(_) => raw = raw.with_values(),
            }
        }
        let text_bytes = raw.body.map_or(0, str::len);
        let (series, values) = match raw.points {
            DraftPoints::Numeric(points) => {
                let series = points.series.into_iter().zip(numeric.unwrap_or_default());
                (series.map(ValidSeries::of_numbers).collect(), None)
            }
            DraftPoints::Values(mut values, mut locations) => {
                values.resolve_leaves(&mut locations, catalogue, |place, series, leaf| {
                    let message = "names a leaf that another key names as well; send it once";
                    errors.push(FieldError {
                        pointer: format!("{}/values{leaf}", place.entry()),
                        index: place.index(),
                        series: Some(series.to_owned()),
                        code: FieldErrorCode::DuplicateKey,
                        message: format!("values{leaf} {message}"),
                    });
                });
                let series = any_series(&values, &locations, catalogue, &bounds, &mut errors);
                (series, Some((values, locations)))
            }
        };
        let text_bytes =
            text_bytes.max(values.as_ref().map_or(0, |(values, _)| values.text_bytes()));
        if errors.is_empty() {
            check_gaps(&series, text_bytes, &mut errors);
        }
        match (raw.user_id, raw.session_id) {
            (Some(user_id), Some(session_id)) if errors.is_empty() => Ok(Self {
                user_id,
                session_id,
                start_ts,
                series,
                values,
                rules: *rules,
            }),
            _ => {
                errors.sort();
                Err(errors)
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
}

impl ValidSeries {
    fn of_numbers((mut series, metric_type): (ColumnarSeries, Arc<MetricType>)) -> (String, Self) {
        series.sort();
        (
            series.name.as_ref().to_owned(),
            Self {
                metric_type,
                points: ValidPoints::Numeric(series),
            },
        )
    }
}

impl ValidPoints {
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Numeric(series) => series.times.len(),
            Self::Values(points) => points.len(),
        }
    }
}

impl Bounds<'_> {
    fn check(&self, t: Timestamp) -> Result<(), TimeRuleError> {
        self.rules.check(t, self.now)?;
        self.windows
            .into_iter()
            .try_for_each(|window| check_in_window(t, window))
    }
}

/// Points of numbers that are not stored as the columns that they are: one has a error, or a number that is no channel's.
struct Misfit;

/// The metric type of each series, if every point is fit to be stored as it is.
fn numeric_series(
    points: &ColumnarValues,
    catalogue: &Catalogue,
    bounds: &Bounds<'_>,
) -> Result<Vec<Arc<MetricType>>, Misfit> {
    if points
        .series
        .iter()
        .flat_map(|series| &series.times)
        .any(|t| bounds.check(*t).is_err())
    {
        return Err(Misfit);
    }
    let mut budget = StepBudget::default();
    let metric_type = |series: &ColumnarSeries| {
        let metric_type = catalogue.get(&series.name).ok_or(Misfit)?;
        if !series.fits(&metric_type.schema, &mut budget) {
            return Err(Misfit);
        }
        if series.is_of_channels(metric_type) {
            Ok(Arc::clone(metric_type))
        } else {
            Err(Misfit)
        }
    };
    points.series.iter().map(metric_type).collect()
}

/// Takes the rejects out of a session.
fn take_rejects(mut raw: SessionDraft<'_>) -> (SessionDraft<'_>, ValidationErrors) {
    let errors = std::mem::take(&mut raw.errors);
    (raw, errors)
}

/// Checks each point and notes every error; gives the points of each series.
fn any_series(
    points: &RawValues<'_>,
    locations: &Locations,
    catalogue: &Catalogue,
    bounds: &Bounds<'_>,
    errors: &mut ValidationErrors,
) -> BTreeMap<String, ValidSeries> {
    let mut all: BTreeMap<String, ValidSeries> = BTreeMap::new();
    let mut budget = StepBudget::default();
    for number in 0..points.len() {
        let (place, series) = (locations.of(number), points.series(number));
        let mut check = PointCheck {
            place,
            series: series.map(AsRef::as_ref),
            errors,
        };
        if let Some(Err(e)) = points.time(number).map(|t| bounds.check(t)) {
            check.error(
                &place.time(),
                FieldErrorCode::ImplausibleTime,
                format!("time {e}"),
            );
        }
        let Some(name) = series else { continue };
        let Some(metric_type) = catalogue.get(name) else {
            if place.is_first_of_entry() {
                check.unknown_series(name, catalogue);
            }
            continue;
        };
        if budget.is_spent() {
            continue;
        }
        match points.value(number) {
            None => continue,
            Some(Err(errors)) => {
                for e in errors {
                    let at = place.value(&e.pointer);
                    let field = at.split('/').nth(1).unwrap_or("value");
                    check.error(
                        &at,
                        (&e.kind).into(),
                        format!("{} {}", echo(field).escape_debug(), bounded(&e, MAX_FAULT)),
                    );
                }
                continue;
            }
            Some(Ok(value)) => check.value(value, metric_type, &mut budget),
        }
        if !errors.is_empty() {
            all.clear();
            continue;
        }
        let number = u32::try_from(number).expect("a session has at most a million points");
        if let Some(ValidSeries {
            points: ValidPoints::Values(known),
            ..
        }) = all.get_mut(&**name)
        {
            known.push(number);
        } else {
            let points = ValidPoints::Values(vec![number]);
            all.insert(
                name.as_ref().to_owned(),
                ValidSeries {
                    metric_type: Arc::clone(metric_type),
                    points,
                },
            );
        }
    }
    all
}

/// The value that a point stands for: a row of cells may stand for its only cell.
pub(super) fn value_of_point(
    value: Json,
    place: Location<'_>,
    metric_type: &MetricType,
    budget: &mut StepBudget,
) -> Json {
    if let Location::Row(_) = place {
        metric_type.value_of_row(value, budget)
    } else {
        value
    }
}

/// Refuses series of many channels whose points leave most of them out, since blocks have room for each.
fn check_gaps(
    series: &BTreeMap<String, ValidSeries>,
    text_bytes: usize,
    errors: &mut ValidationErrors,
) {
    let elements: usize = series
        .values()
        .map(|s| s.points.len().saturating_mul(s.metric_type.channels.len()))
        .sum();
    if elements <= text_bytes.saturating_add(FREE_GAPS) {
        return;
    }
    errors.push(FieldError {
        pointer: "/data".to_owned(),
        index: None,
        series: None,
        code: FieldErrorCode::TooManyPoints,
        message: format!(
            "data has {elements} numbers and gaps, counting one per point and numeric leaf of its series, most of them \
             gaps; send it as several sessions, or as series of fewer leaves"
        ),
    });
}

struct PointCheck<'a> {
    place: Location<'a>,
    series: Option<&'a str>,
    errors: &'a mut ValidationErrors,
}

impl PointCheck<'_> {
    fn error(&mut self, at: &str, code: FieldErrorCode, message: String) {
        if self.errors.is_full() {
            return self.errors.count();
        }
        self.errors.push(FieldError {
            pointer: format!("{}{at}", self.place.entry()),
            index: self.place.index(),
            series: self.series.map(str::to_owned),
            code,
            message,
        });
    }

    /// Checks a value against its schema.
    fn value(&mut self, value: Json, metric_type: &MetricType, budget: &mut StepBudget) {
        let value = value_of_point(value, self.place, metric_type, budget);
        if self.errors.is_full() {
            // Without a description, which would not be listed.
            if !metric_type.schema.fits(&value, budget) {
                self.errors.count();
            }
            return;
        }
        for Violation {
            pointer,
            message,
            kind,
        } in metric_type.schema.violations(&value, budget)
        {
            let code = match kind {
                ViolationKind::Mismatch => FieldErrorCode::SchemaViolation,
                ViolationKind::TooCostly => FieldErrorCode::TooCostly,
            };
            self.error(&self.place.value(&pointer), code, message);
        }
    }

    fn unknown_series(&mut self, name: &str, catalogue: &Catalogue) {
        // What is not listed needs no hint.
        let suggestions = if self.errors.is_full() {
            Vec::new()
        } else {
            catalogue.suggestions(name)
        };
        let hint = if suggestions.is_empty() {
            "GET /api/metrictypes/ lists those there are".to_owned()
        } else {
            format!("did you mean {}?", suggestions.join(" or "))
        };
        let message = format!("no metric type is named {:?}; {hint}", echo(name));
        self.error("/series", FieldErrorCode::UnknownSeries, message);
    }
}
