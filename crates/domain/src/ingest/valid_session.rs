//! A session whose points all have a metric type, a plausible time and a valid value.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use super::check_points::{TimeBounds, check_columnar, check_values};
use super::columnar_series::ColumnarSeries;
use super::draft_points::DraftPoints;
use super::location::Locations;
use super::raw_values::RawValues;
use super::{FieldError, FieldErrorCode, SessionDraft, ValidationErrors};
use crate::metric_type::{Catalogue, MetricType};
use crate::model::{AppendTarget, SessionWindow, window_of_new_session};
use crate::{SessionId, TimeRules, Timestamp, UserId};

/// Gaps that a session may have in addition to one per byte of its text. Blocks have one element
/// per point and channel, and a gap is an element without a number.
const FREE_GAPS: usize = 4_000_000;

/// A session that may be stored. Created by [`ValidSession::check`] only.
#[derive(Debug)]
pub struct ValidSession<'a> {
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) start_ts: Option<Timestamp>,
    /// The series, by name.
    pub(super) series: BTreeMap<String, ValidSeries>,
    /// The points of all series that are not columnar.
    pub(super) values: Option<(RawValues<'a>, Locations)>,
    /// The rules that the times were validated against.
    pub(super) rules: TimeRules,
}

#[derive(Debug)]
pub(super) struct ValidSeries {
    pub(super) metric_type: Arc<MetricType>,
    pub(super) points: ValidPoints,
}

#[derive(Debug)]
pub(super) enum ValidPoints {
    /// Points in order of (time, arrival). Every leaf is a channel.
    Numeric(ColumnarSeries),
    /// The numbers of the points in order of arrival.
    Values(Vec<u32>),
}

impl<'a> ValidSession<'a> {
    /// Validates every point, also against the session that the points are appended to.
    ///
    /// # Errors
    /// [`ValidationErrors`] with the errors of the draft and of the validation.
    pub fn check(
        mut draft: SessionDraft<'a>,
        catalogue: &Catalogue,
        rules: &TimeRules,
        now: Timestamp,
        target: AppendTarget,
    ) -> Result<Self, ValidationErrors> {
        let mut errors = std::mem::take(&mut draft.errors);
        let start_ts = draft.start_ts;
        let bounds = TimeBounds {
            rules,
            now,
            windows: windows(&draft, rules, target),
        };
        check_fields(&draft, rules, now, &mut errors);
        let mut metric_types = None;
        if let DraftPoints::Numeric(points) = &draft.points {
            metric_types = check_columnar(points, catalogue, &bounds);
            if metric_types.is_none() {
                // The parsed values have the errors, or a remainder.
                draft = draft.with_values();
            }
        }
        let mut text_bytes = draft.body.map_or(0, str::len);
        let (series, values) = match draft.points {
            DraftPoints::Numeric(points) => {
                let metric_types = metric_types.unwrap_or_default();
                let series = points.series.into_iter().zip(metric_types);
                let series = series.map(|(points, of)| ValidSeries::columnar(points, of));
                (series.collect(), None)
            }
            DraftPoints::Values(mut values, mut locations) => {
                resolve_leaves(&mut values, &mut locations, catalogue, &mut errors);
                let series = check_values(&values, &locations, catalogue, &bounds, &mut errors);
                text_bytes = text_bytes.max(values.text_bytes());
                (series, Some((values, locations)))
            }
        };
        if errors.is_empty() {
            check_gaps(&series, text_bytes, &mut errors);
        }
        match (draft.user_id, draft.session_id) {
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

    /// The number of points.
    #[must_use]
    pub fn points(&self) -> usize {
        self.series.values().map(|series| series.points.len()).sum()
    }

    /// The user that owns the session.
    #[must_use]
    pub const fn user_id(&self) -> UserId {
        self.user_id
    }

    /// The id of the session.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.session_id
    }
}

impl ValidSeries {
    fn columnar(mut points: ColumnarSeries, metric_type: Arc<MetricType>) -> (String, Self) {
        points.sort();
        let name = points.name.as_ref().to_owned();
        let points = ValidPoints::Numeric(points);
        (
            name,
            Self {
                metric_type,
                points,
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

/// Returns the window of the points themselves and the window of the stored session.
fn windows(
    draft: &SessionDraft<'_>,
    rules: &TimeRules,
    target: AppendTarget,
) -> [SessionWindow; 2] {
    let own = |first| window_of_new_session(draft.start_ts, first, rules);
    match target {
        AppendTarget::Alone => [own(draft.points.first_time()), None],
        AppendTarget::Unknown => [own(None), None],
        // Without a start, the new points must also lie near each other.
        AppendTarget::To(extent) if extent.start_ts.is_none() => {
            [own(draft.points.first_time()), extent.window(rules)]
        }
        AppendTarget::To(extent) => [None, extent.window(rules)],
    }
}

/// Checks the user, the start and the id.
fn check_fields(
    draft: &SessionDraft<'_>,
    rules: &TimeRules,
    now: Timestamp,
    errors: &mut ValidationErrors,
) {
    if draft.lacks_user {
        errors.push(field_error(
            "user_id",
            FieldErrorCode::MissingField,
            "is required",
        ));
    }
    if let Some(Err(e)) = draft.start_ts.map(|start| rules.check(start, now)) {
        errors.push(field_error("start_ts", FieldErrorCode::ImplausibleTime, e));
    }
    // An invalid id has an error already.
    if draft.session_id.is_none() && errors.is_empty() {
        errors.push(field_error(
            "session_id",
            FieldErrorCode::MissingField,
            "is required",
        ));
    }
}

fn field_error(field: &str, code: FieldErrorCode, message: impl Display) -> FieldError {
    FieldError {
        pointer: format!("/{field}"),
        index: None,
        series: None,
        code,
        message: format!("{field} {message}"),
    }
}

/// Resolves dots in the leaves of columns; adds an error for each entry with a duplicate leaf.
fn resolve_leaves(
    values: &mut RawValues<'_>,
    locations: &mut Locations,
    catalogue: &Catalogue,
    errors: &mut ValidationErrors,
) {
    values.resolve_leaves(locations, catalogue, |location, series, leaf| {
        errors.push(FieldError {
            pointer: format!("{}/values{leaf}", location.entry()),
            index: location.index(),
            series: Some(series.to_owned()),
            code: FieldErrorCode::DuplicateKey,
            message: format!("values{leaf} names a leaf that another key also names; send it once"),
        });
    });
}

/// Rejects series of many channels whose points have values in few of them: blocks store an element
/// for each channel.
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
            "data has {elements} numbers and gaps, counting one per point and numeric leaf of its \
             series, most of them gaps; send it as several sessions, or as series of fewer leaves"
        ),
    });
}
