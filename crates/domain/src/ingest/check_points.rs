//! Validates points against their metric types and the bounds on times.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columnar_values::ColumnarValues;
use super::field_error::MAX_DESCRIPTION;
use super::location::{Location, Locations};
use super::raw_values::RawValues;
use super::valid_session::{ValidPoints, ValidSeries};
use super::{FieldError, FieldErrorCode, ValidationErrors};
use crate::metric_type::{Catalogue, MetricType, StepBudget, Violation, ViolationKind};
use crate::model::{SessionWindow, TimeRuleError, check_in_window};
use crate::text::{bounded, echo};
use crate::{Json, JsonError, TimeRules, Timestamp};

/// Bounds on the times of the points.
pub(super) struct TimeBounds<'a> {
    pub(super) rules: &'a TimeRules,
    pub(super) now: Timestamp,
    /// The window of the points themselves, and that of the stored session.
    pub(super) windows: [SessionWindow; 2],
}

impl TimeBounds<'_> {
    fn check(&self, t: Timestamp) -> Result<(), TimeRuleError> {
        self.rules.check(t, self.now)?;
        self.windows
            .into_iter()
            .try_for_each(|window| check_in_window(t, window))
    }
}

/// Validates columnar points and returns the metric type of each series. Returns `None` if a point
/// is not valid or has a number that is not in a channel.
pub(super) fn check_columnar(
    points: &ColumnarValues,
    catalogue: &Catalogue,
    bounds: &TimeBounds<'_>,
) -> Option<Vec<Arc<MetricType>>> {
    let mut times = points.series.iter().flat_map(|series| &series.times);
    if times.any(|t| bounds.check(*t).is_err()) {
        return None;
    }
    let mut budget = StepBudget::default();
    let mut metric_types = Vec::with_capacity(points.series.len());
    for series in &points.series {
        let metric_type = catalogue.get(&series.name)?;
        let fits = series.fits(&metric_type.schema, &mut budget);
        if !fits || !series.is_of_channels(metric_type) {
            return None;
        }
        metric_types.push(Arc::clone(metric_type));
    }
    Some(metric_types)
}

/// Validates points and adds their errors. Returns the points of each series.
pub(super) fn check_values(
    points: &RawValues<'_>,
    locations: &Locations,
    catalogue: &Catalogue,
    bounds: &TimeBounds<'_>,
    errors: &mut ValidationErrors,
) -> BTreeMap<String, ValidSeries> {
    let mut all: BTreeMap<String, ValidSeries> = BTreeMap::new();
    let mut budget = StepBudget::default();
    for number in 0..points.len() {
        let location = locations.of(number);
        let series = points.series(number);
        let mut check = PointCheck {
            location,
            series: series.map(AsRef::as_ref),
            errors,
        };
        if let Some(Err(e)) = points.time(number).map(|t| bounds.check(t)) {
            check.error(
                &location.time(),
                FieldErrorCode::ImplausibleTime,
                format!("time {e}"),
            );
        }
        let Some(name) = series else { continue };
        let Some(metric_type) = catalogue.get(name) else {
            if location.is_first_of_entry() {
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
                check.invalid_value(errors);
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
            points: ValidPoints::Values(numbers),
            ..
        }) = all.get_mut(&**name)
        {
            numbers.push(number);
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

/// Returns the value of a point: that of a row with one cell may be the value of the cell.
pub(super) fn value_of_point(
    value: Json,
    location: Location<'_>,
    metric_type: &MetricType,
    budget: &mut StepBudget,
) -> Json {
    if let Location::Row(_) = location {
        metric_type.value_of_row(value, budget)
    } else {
        value
    }
}

/// Adds the errors of one point.
struct PointCheck<'a> {
    location: Location<'a>,
    series: Option<&'a str>,
    errors: &'a mut ValidationErrors,
}

impl PointCheck<'_> {
    /// Adds an error at `pointer` below the entry.
    fn error(&mut self, pointer: &str, code: FieldErrorCode, message: String) {
        if self.errors.is_full() {
            return self.errors.count();
        }
        self.errors.push(FieldError {
            pointer: format!("{}{pointer}", self.location.entry()),
            index: self.location.index(),
            series: self.series.map(str::to_owned),
            code,
            message,
        });
    }

    /// Adds the errors of a value that could not be parsed.
    fn invalid_value(&mut self, errors: Vec<JsonError>) {
        for e in errors {
            let pointer = self.location.value(&e.pointer);
            let field = pointer.split('/').nth(1).unwrap_or("value");
            let message = format!(
                "{} {}",
                echo(field).escape_debug(),
                bounded(&e, MAX_DESCRIPTION)
            );
            self.error(&pointer, (&e.kind).into(), message);
        }
    }

    /// Validates a value against its schema.
    fn value(&mut self, value: Json, metric_type: &MetricType, budget: &mut StepBudget) {
        let value = value_of_point(value, self.location, metric_type, budget);
        if self.errors.is_full() {
            // Counts the error without computing a description, which would not be listed.
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
            self.error(&self.location.value(&pointer), code, message);
        }
    }

    fn unknown_series(&mut self, name: &str, catalogue: &Catalogue) {
        // Suggestions are costly, and the message of an unlisted error is not used.
        let suggestions = if self.errors.is_full() {
            Vec::new()
        } else {
            catalogue.suggestions(name)
        };
        let hint = if suggestions.is_empty() {
            "GET /api/metrictypes/ lists all metric types".to_owned()
        } else {
            format!("did you mean {}?", suggestions.join(" or "))
        };
        let message = format!("no metric type is named {:?}; {hint}", echo(name));
        self.error("/series", FieldErrorCode::UnknownSeries, message);
    }
}
