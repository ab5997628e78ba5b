//! Compiled JSON Schemas of metric types.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::draft::draft_of;
use super::numeric_leaves::numeric_leaves;
use super::numeric_schema::NumericSchema;
use super::schema_error::{MAX_SCHEMA_BYTES, SchemaError};
use super::step_budget::StepBudget;
use super::validation_cost::{Estimate, MAX_VALUE_STEPS, ValidationCost};
use super::violation::{Violation, ViolationKind};
use crate::Json;
use crate::json::Pointer;
use crate::text::{bounded, whole};

/// Maximum memory of a compiled regular expression, in bytes.
const PATTERN_BYTES: usize = 1 << 20;
/// Maximum number of violations that are returned for one value.
const MAX_VIOLATIONS: usize = 10;
/// Maximum length of the description of a violation, in bytes.
const MAX_MESSAGE: usize = 500;
/// Maximum length of a description that contains the value, in bytes.
const MAX_SHOWN_VALUE: usize = 200;
/// Maximum length of the location of a violation, in bytes.
const MAX_POINTER: usize = 250;

/// A compiled JSON Schema that was validated against its meta-schema.
///
/// The draft is 7 unless `$schema` names another one. References must stay inside the document.
pub struct ValueSchema {
    document: Value,
    numeric_leaves: Vec<Pointer>,
    validator: Validator,
    /// The fast path for schemas of numbers only.
    numeric: Option<NumericSchema>,
    /// Computed for the first value that needs the validator.
    cost: OnceLock<ValidationCost>,
}

impl ValueSchema {
    /// Compiles a new schema document, and checks the cost of validating values.
    ///
    /// # Errors
    /// [`SchemaError`] with the location in the schema.
    pub fn define(document: Value) -> Result<Self, SchemaError> {
        check_length(&document)?;
        // Before compilation, whose cost the check bounds as well.
        ValidationCost::check(&document)?;
        Self::parse(document)
    }

    /// Compiles a stored schema document, without checking the cost.
    ///
    /// # Errors
    /// [`SchemaError`] with the location in the schema.
    pub fn parse(document: Value) -> Result<Self, SchemaError> {
        check_length(&document)?;
        if !(document.is_object() || document.is_boolean()) {
            return Err(SchemaError::Invalid {
                pointer: String::new(),
                message: "a schema is an object or a boolean".to_owned(),
            });
        }
        let draft = draft_of(&document).ok_or_else(|| SchemaError::Invalid {
            pointer: "/$schema".to_owned(),
            message: "not a known draft; use http://json-schema.org/draft-07/schema#".to_owned(),
        })?;
        let validator = jsonschema::options()
            .with_draft(draft)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES))
            .offline()
            .build(&document)
            .map_err(|e| SchemaError::Invalid {
                pointer: bounded(e.instance_path(), MAX_POINTER),
                message: explain(describe(&e)),
            })?;
        let numeric_leaves =
            numeric_leaves(&document, draft).map_err(|e| SchemaError::Invalid {
                pointer: String::new(),
                message: bounded(e, MAX_MESSAGE),
            })?;
        Ok(Self {
            numeric_leaves,
            numeric: NumericSchema::of(&document),
            document,
            validator,
            cost: OnceLock::new(),
        })
    }

    /// Returns the schema document.
    #[must_use]
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// Returns the sorted numeric leaves that the schema declares, including those behind
    /// references.
    ///
    /// Array items and undeclared properties are not leaves.
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

    /// Returns whether the schema is known to accept columns of numbers: objects with one column
    /// per key, or without keys the plain numbers of the only column.
    pub(crate) fn admits_numbers(&self, keys: Option<&[Arc<str>]>, columns: &[Vec<f64>]) -> bool {
        self.numeric
            .as_ref()
            .is_some_and(|numeric| numeric.admits_numbers(keys, columns))
    }

    #[cfg(test)]
    pub(super) fn is_valid(&self, value: &Json) -> bool {
        self.validator.is_valid(&value.to_serde())
    }

    /// Returns the first ten violations of the schema by a value; none if the value matches.
    ///
    /// A value is not validated if it would take more steps than allowed for one value, or than
    /// remain in `budget`; the result is then one violation of kind [`ViolationKind::TooCostly`].
    #[must_use]
    pub fn violations(&self, value: &Json, budget: &mut StepBudget) -> Vec<Violation> {
        let (estimate, instance) = match self.validate(value, budget) {
            Validation::Match => return Vec::new(),
            Validation::TooCostly(violation) => return vec![violation],
            Validation::Mismatch(estimate, instance) => (estimate, instance),
        };
        // The validator collects all errors of a value, including those of every branch of a
        // choice, before it returns the first one.
        let described: Vec<Violation> = if estimate.lists_errors {
            self.validator
                .iter_errors(&instance)
                .take(MAX_VIOLATIONS)
                .map(|e| violation_of(&e))
                .collect()
        } else if self.cost().has_branches() {
            Vec::new()
        } else {
            self.validator
                .validate(&instance)
                .err()
                .iter()
                .map(violation_of)
                .collect()
        };
        if described.is_empty() {
            vec![Violation::undescribed()]
        } else {
            described
        }
    }

    /// Returns whether a value is known to match the schema; false for a value that would take too
    /// many steps to validate.
    #[must_use]
    pub fn fits(&self, value: &Json, budget: &mut StepBudget) -> bool {
        matches!(self.validate(value, budget), Validation::Match)
    }

    fn validate(&self, value: &Json, budget: &mut StepBudget) -> Validation {
        if self
            .numeric
            .as_ref()
            .is_some_and(|numeric| numeric.admits(value))
        {
            return Validation::Match;
        }
        let estimate = self.cost().estimate(value);
        if estimate.steps > MAX_VALUE_STEPS {
            return Validation::TooCostly(Violation::too_costly(&estimate));
        }
        if !budget.take(estimate.steps) {
            return Validation::TooCostly(Violation::budget_exhausted());
        }
        let instance = value.to_serde();
        if self.validator.is_valid(&instance) {
            Validation::Match
        } else {
            Validation::Mismatch(estimate, instance)
        }
    }

    fn cost(&self) -> &ValidationCost {
        self.cost.get_or_init(|| ValidationCost::of(&self.document))
    }
}

/// The result of validating a value.
enum Validation {
    Match,
    TooCostly(Violation),
    /// The estimated cost, and the value as the validator's type.
    Mismatch(Estimate, Value),
}

/// Adds the reason to the message of a pattern that only backtracking engines support.
fn explain(message: String) -> String {
    if !message.ends_with("is not a \"regex\"") {
        return message;
    }
    format!(
        "{message} that runs in linear time; lookaround ((?=, (?!, (?<) and back-references are not \
         supported"
    )
}

/// Describes an error without rendering a large value in full.
fn describe(e: &jsonschema::ValidationError<'_>) -> String {
    // A long description contains a long value, which is left out.
    whole(e, MAX_SHOWN_VALUE).unwrap_or_else(|| bounded(e.masked_with("the value"), MAX_MESSAGE))
}

fn violation_of(e: &jsonschema::ValidationError<'_>) -> Violation {
    Violation {
        pointer: Pointer::parse(&bounded(e.instance_path(), MAX_POINTER))
            .unwrap_or(Pointer::root()),
        message: describe(e),
        kind: ViolationKind::Mismatch,
    }
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
        let mut locations: Vec<String> = schema
            .expect("valid")
            .violations(&value, &mut StepBudget::default())
            .iter()
            .map(|v| v.pointer.to_string())
            .collect();
        locations.sort();
        assert_eq!(locations, ["/g", "/r"]);
    }

    #[test]
    fn an_invalid_schema_is_rejected_with_the_location() {
        let e = ValueSchema::parse(json!({"properties": {"a": {"type": "nummer"}}}));
        assert!(
            matches!(e, Err(SchemaError::Invalid { pointer, .. }) if pointer == "/properties/a/type")
        );
    }

    #[test]
    fn remote_references_are_rejected() {
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
