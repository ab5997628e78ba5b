//! A metric type's JSON Schema, compiled.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use super::numeric_leaves::numeric_leaves;
use super::shortcut::Shortcut;
use super::validation_cost::{
    CostError, Estimate, MAX_SESSION_STEPS, MAX_VALUE_STEPS, ValidationCost,
};
use crate::Json;
use crate::channel::Pointer;
use crate::text::{bounded, whole};

/// The longest schema, in bytes of compact JSON.
pub const MAX_SCHEMA_BYTES: usize = 64 * 1024;
/// A compiled regular expression of a schema may take so much memory.
const PATTERN_BYTES: usize = 1 << 20;
/// Maximum number of violations that are described for one value.
const MAX_VIOLATIONS: usize = 10;
/// Maximum length of the description of a violation, in bytes.
const MAX_MESSAGE: usize = 500;
/// Maximum length of a value inside such a description, in bytes.
const MAX_SHOWN_VALUE: usize = 200;
/// Maximum length of the pointer to a violation, in bytes.
const MAX_POINTER: usize = 250;

/// A schema that was checked against its meta-schema, ready to validate values.
///
/// Draft 7 unless `$schema` says otherwise. References must stay inside the document.
pub struct ValueSchema {
    document: Value,
    numeric_leaves: Vec<Pointer>,
    validator: Validator,
    shortcut: Option<Shortcut>,
    /// Computed for the first value that needs the validator.
    cost: OnceLock<ValidationCost>,
}

/// Why a schema is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// It breaks its meta-schema, or cannot be compiled.
    #[error("is not a valid JSON Schema at {pointer:?}: {message}")]
    Invalid {
        /// Where in the schema.
        pointer: String,
        /// What is wrong.
        message: String,
    },
    /// Longer than [`MAX_SCHEMA_BYTES`].
    #[error("is longer than 64 KiB")]
    TooLong,
    /// Validating values would take too long.
    #[error("{0}")]
    Costly(#[from] CostError),
}

/// One way in which a value breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where in the value.
    pub pointer: Pointer,
    /// What is wrong.
    pub message: String,
    /// What kind of violation.
    pub kind: ViolationKind,
}

/// The kinds of violations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViolationKind {
    /// The value does not match the schema.
    Mismatch,
    /// Whether the value matches the schema was not computed, since it would take too long.
    TooCostly,
}

/// Steps of the validator that are left for the values of one session.
#[derive(Debug)]
pub struct StepBudget {
    /// `None` once a value needed more than was left.
    left: Option<u64>,
}

impl Default for StepBudget {
    /// The budget of one session.
    fn default() -> Self {
        Self {
            left: Some(MAX_SESSION_STEPS),
        }
    }
}

impl StepBudget {
    /// Whether a value was refused because too few steps were left; then no further one is validated.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.left.is_none()
    }

    fn take(&mut self, steps: u64) -> bool {
        self.left = self.left.and_then(|left| left.checked_sub(steps));
        self.left.is_some()
    }
}

impl ValueSchema {
    /// Checks and compiles a schema document that is about to be stored.
    ///
    /// # Errors
    /// [`SchemaError`] with the place in the schema, also for a schema that would be too costly to validate values with.
    pub fn define(document: Value) -> Result<Self, SchemaError> {
        check_length(&document)?;
        // Before it is compiled, which may take as long.
        ValidationCost::check(&document)?;
        Self::parse(document)
    }

    /// Compiles a schema document, such as a stored one.
    ///
    /// # Errors
    /// [`SchemaError`] with the place in the schema.
    pub fn parse(document: Value) -> Result<Self, SchemaError> {
        check_length(&document)?;
        let invalid = |e: &jsonschema::ValidationError<'_>| SchemaError::Invalid {
            pointer: bounded(e.instance_path(), MAX_POINTER),
            message: explain(describe(e)),
        };
        if !(document.is_object() || document.is_boolean()) {
            return Err(SchemaError::Invalid {
                pointer: String::new(),
                message: "a schema is an object or a boolean".to_owned(),
            });
        }
        let draft = draft_of(&document)?;
        let validator = jsonschema::options()
            .with_draft(draft)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES))
            .offline()
            .build(&document)
            .map_err(|e| invalid(&e))?;
        let numeric_leaves =
            numeric_leaves(&document, draft).map_err(|e| SchemaError::Invalid {
                pointer: String::new(),
                message: bounded(e, MAX_MESSAGE),
            })?;
        Ok(Self {
            numeric_leaves,
            shortcut: Shortcut::of(&document),
            document,
            validator,
            cost: OnceLock::new(),
        })
    }

    /// The schema as it was given.
    #[must_use]
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// The numeric leaves that it declares, sorted: those behind references too, as the validator resolves them. Array items
    /// and undeclared properties are not leaves.
    ///
    /// ```
    /// use serde_json::json;
    /// use time_series_domain::metric_type::ValueSchema;
    ///
    /// let schema = ValueSchema::define(json!({
    ///     "type": "object",
    ///     "properties": {"pos": {"$ref": "#/definitions/point"}, "name": {"type": "string"}},
    ///     "definitions": {"point": {"properties": {"x": {"type": "number"}, "y": {"type": ["integer", "null"]}}}}
    /// }))
    /// .expect("a schema");
    /// let texts: Vec<String> = schema.numeric_leaves().iter().map(ToString::to_string).collect();
    /// assert_eq!(texts, ["/pos/x", "/pos/y"]);
    /// ```
    #[must_use]
    pub fn numeric_leaves(&self) -> &[Pointer] {
        &self.numeric_leaves
    }

    /// Whether it is sure to admit every object of numbers under these keys, a column a key, or every number of the only
    /// column where there are no keys.
    pub(crate) fn admits_numbers(&self, keys: Option<&[Arc<str>]>, columns: &[Vec<f64>]) -> bool {
        self.shortcut
            .as_ref()
            .is_some_and(|shortcut| shortcut.admits_numbers(keys, columns))
    }

    #[cfg(test)]
    pub(super) fn is_valid(&self, value: &Json) -> bool {
        self.validator.is_valid(&value.to_serde())
    }

    /// The ways in which a value breaks the schema, the first ten; empty when it fits.
    ///
    /// A value that would take more steps than one value may, or than are left, is refused without being validated.
    #[must_use]
    pub fn violations(&self, value: &Json, budget: &mut StepBudget) -> Vec<Violation> {
        let (estimate, instance) = match self.judge(value, budget) {
            Judgement::Fits => return Vec::new(),
            Judgement::TooCostly(violation) => return vec![violation],
            Judgement::Misfit(estimate, instance) => (estimate, instance),
        };
        let violation = |e: &jsonschema::ValidationError<'_>| Violation {
            pointer: Pointer::parse(&bounded(e.instance_path(), MAX_POINTER))
                .unwrap_or(Pointer::root()),
            message: describe(e),
            kind: ViolationKind::Mismatch,
        };
        // All errors of a value are collected before the first is seen, those of each branch inside those of the choice.
        let described: Vec<Violation> = if estimate.lists_errors {
            self.validator
                .iter_errors(&instance)
                .take(MAX_VIOLATIONS)
                .map(|e| violation(&e))
                .collect()
        } else if self.cost().has_branches() {
            Vec::new()
        } else {
            self.validator
                .validate(&instance)
                .err()
                .iter()
                .map(violation)
                .collect()
        };
        if described.is_empty() {
            vec![Violation::undescribed()]
        } else {
            described
        }
    }

    /// Whether a value is known to fit the schema; a value that would take too many steps is not.
    #[must_use]
    pub fn fits(&self, value: &Json, budget: &mut StepBudget) -> bool {
        matches!(self.judge(value, budget), Judgement::Fits)
    }

    fn judge(&self, value: &Json, budget: &mut StepBudget) -> Judgement {
        if self
            .shortcut
            .as_ref()
            .is_some_and(|shortcut| shortcut.admits(value))
        {
            return Judgement::Fits;
        }
        let estimate = self.cost().estimate(value);
        if estimate.steps > MAX_VALUE_STEPS {
            return Judgement::TooCostly(Violation::too_costly(&estimate));
        }
        if !budget.take(estimate.steps) {
            return Judgement::TooCostly(Violation::of_spent_budget());
        }
        let instance = value.to_serde();
        if self.validator.is_valid(&instance) {
            Judgement::Fits
        } else {
            Judgement::Misfit(estimate, instance)
        }
    }

    fn cost(&self) -> &ValidationCost {
        self.cost.get_or_init(|| ValidationCost::of(&self.document))
    }
}

/// What is known of a value.
enum Judgement {
    Fits,
    TooCostly(Violation),
    Misfit(Estimate, Value),
}

impl Violation {
    /// A value that breaks its schema, of which more cannot be said in few steps.
    pub(crate) fn undescribed() -> Self {
        let message =
            "does not match the schema of its series; GET /api/metrictypes/{series}/ returns it"
                .to_owned();
        Self {
            pointer: Pointer::root(),
            message,
            kind: ViolationKind::Mismatch,
        }
    }

    fn too_costly(estimate: &Estimate) -> Self {
        let Estimate { levels, growth, .. } = *estimate;
        let message = if growth > 1 {
            format!(
                "would take the validator more than {MAX_VALUE_STEPS} steps: it is nested {levels} levels deep, and the \
                 schema multiplies the work by up to {growth} per level; flatten the value, or use fewer branches in the \
                 schema"
            )
        } else {
            format!(
                "would take the validator more than {MAX_VALUE_STEPS} steps; send less in one value, or use fewer \
                 branches and patterns in the schema"
            )
        };
        Self {
            pointer: Pointer::root(),
            message,
            kind: ViolationKind::TooCostly,
        }
    }

    fn of_spent_budget() -> Self {
        let message = format!(
            "and those before would take the validator more than {MAX_SESSION_STEPS} steps; send fewer points in one \
             session, or use fewer branches and patterns in the schema"
        );
        Self {
            pointer: Pointer::root(),
            message,
            kind: ViolationKind::TooCostly,
        }
    }
}

/// Says why a pattern that other validators take is refused.
fn explain(message: String) -> String {
    if !message.ends_with("is not a \"regex\"") {
        return message;
    }
    format!(
        "{message} of linear time, the only ones that are taken: without lookaround ((?=, (?!, (?<) and back-references"
    )
}

/// Describes an error without rendering a large value whole.
fn describe(e: &jsonschema::ValidationError<'_>) -> String {
    if let Some(whole) = whole(e, MAX_SHOWN_VALUE) {
        return whole;
    }
    // The value may be what is long: without it, the sentence says what is wrong.
    bounded(e.masked_with("the value"), MAX_MESSAGE)
}

fn check_length(document: &Value) -> Result<(), SchemaError> {
    whole(document, MAX_SCHEMA_BYTES)
        .map(drop)
        .ok_or(SchemaError::TooLong)
}

impl fmt::Debug for ValueSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValueSchema").field(&self.document).finish()
    }
}

/// Whether the draft of a schema ignores what stands beside `$ref`.
pub(super) fn is_old_draft(document: &Value) -> bool {
    matches!(
        draft_of(document),
        Ok(Draft::Draft4 | Draft::Draft6 | Draft::Draft7)
    )
}

fn draft_of(document: &Value) -> Result<Draft, SchemaError> {
    let Some(named) = document.get("$schema") else {
        return Ok(Draft::Draft7);
    };
    let text = named.as_str().unwrap_or_default().trim_end_matches('#');
    let text = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match text {
        Some("json-schema.org/draft-04/schema") => Ok(Draft::Draft4),
        Some("json-schema.org/draft-06/schema") => Ok(Draft::Draft6),
        Some("json-schema.org/draft-07/schema") => Ok(Draft::Draft7),
        Some("json-schema.org/draft/2019-09/schema") => Ok(Draft::Draft201909),
        Some("json-schema.org/draft/2020-12/schema") => Ok(Draft::Draft202012),
        _ => Err(SchemaError::Invalid {
            pointer: "/$schema".to_owned(),
            message: "not a known draft; use http://json-schema.org/draft-07/schema#".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn violations_point_into_the_value() {
        let schema = ValueSchema::parse(json!({
            "type": "object", "required": ["r"],
            "properties": {"r": {"type": "number", "maximum": 255}, "g": {"type": "integer"}}
        }));
        let value = Json::parse(r#"{"r": 300, "g": 1.5}"#).expect("json");
        let mut places: Vec<String> = schema
            .expect("valid")
            .violations(&value, &mut StepBudget::default())
            .iter()
            .map(|v| v.pointer.to_string())
            .collect();
        places.sort();
        assert_eq!(places, ["/g", "/r"]);
    }

    #[test]
    fn a_broken_schema_is_refused_with_its_place() {
        let e = ValueSchema::parse(json!({"properties": {"a": {"type": "nummer"}}}));
        assert!(
            matches!(e, Err(SchemaError::Invalid { pointer, .. }) if pointer == "/properties/a/type")
        );
    }

    #[test]
    fn remote_references_are_refused() {
        let e = ValueSchema::parse(json!({"$ref": "https://example.com/schema.json"}));
        assert!(e.is_err());
    }

    #[test]
    fn seven_point_zero_is_an_integer() {
        let schema = ValueSchema::parse(json!({"type": "integer"})).expect("valid");
        assert!(schema.fits(
            &Json::parse("7.0").expect("json"),
            &mut StepBudget::default()
        ));
        assert!(!schema.fits(
            &Json::parse("7.5").expect("json"),
            &mut StepBudget::default()
        ));
    }
}
