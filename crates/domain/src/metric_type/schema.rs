//! A metric type's JSON Schema, compiled.

use std::fmt;
use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use super::shortcut::Shortcut;
use crate::Json;
use crate::channel::{Pointer, numeric_leaves};

/// The longest schema, in bytes of compact JSON.
pub const MAX_SCHEMA_BYTES: usize = 64 * 1024;
/// A compiled regular expression of a schema may take so much memory.
const PATTERN_BYTES: usize = 1 << 20;

/// A schema that was checked against its meta-schema, ready to validate values.
///
/// Draft 7 unless `$schema` says otherwise. References must stay inside the document.
pub struct ValueSchema {
    document: Value,
    validator: Validator,
    shortcut: Option<Shortcut>,
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
}

/// One way in which a value breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where in the value.
    pub pointer: Pointer,
    /// What is wrong.
    pub message: String,
}

impl ValueSchema {
    /// Compiles a schema document.
    ///
    /// # Errors
    /// [`SchemaError`] with the place in the schema.
    pub fn parse(document: Value) -> Result<Self, SchemaError> {
        if document.to_string().len() > MAX_SCHEMA_BYTES {
            return Err(SchemaError::TooLong);
        }
        let invalid = |e: &jsonschema::ValidationError<'_>| SchemaError::Invalid {
            pointer: e.instance_path().to_string(),
            message: e.to_string(),
        };
        if !(document.is_object() || document.is_boolean()) {
            return Err(SchemaError::Invalid {
                pointer: String::new(),
                message: "a schema is an object or a boolean".to_owned(),
            });
        }
        let validator = jsonschema::options()
            .with_draft(draft_of(&document)?)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES))
            .offline()
            .build(&document)
            .map_err(|e| invalid(&e))?;
        Ok(Self { shortcut: Shortcut::of(&document), document, validator })
    }

    /// The schema as it was given.
    #[must_use]
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// The numeric leaves that it declares, sorted.
    #[must_use]
    pub fn numeric_leaves(&self) -> Vec<Pointer> {
        numeric_leaves(&self.document)
    }

    /// Whether it is sure to admit every object of numbers under these keys, a column a key, or every number of the only
    /// column where there are no keys.
    pub(crate) fn admits_numbers(&self, keys: Option<&[Arc<str>]>, columns: &[Vec<f64>]) -> bool {
        self.shortcut.as_ref().is_some_and(|shortcut| shortcut.admits_numbers(keys, columns))
    }

    #[cfg(test)]
    pub(super) fn is_valid(&self, value: &Json) -> bool {
        self.validator.is_valid(&value.to_serde())
    }

    /// Every way in which `value` breaks the schema; empty when it fits.
    #[must_use]
    pub fn violations(&self, value: &Json) -> Vec<Violation> {
        if self.shortcut.as_ref().is_some_and(|shortcut| shortcut.admits(value)) {
            return Vec::new();
        }
        let instance = value.to_serde();
        if self.validator.is_valid(&instance) {
            return Vec::new();
        }
        let errors = self.validator.iter_errors(&instance);
        let violation = |e: jsonschema::ValidationError<'_>| Violation {
            pointer: Pointer::parse(e.instance_path().as_str()).unwrap_or(Pointer::root()),
            message: e.to_string(),
        };
        errors.map(violation).collect()
    }
}

impl fmt::Debug for ValueSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValueSchema").field(&self.document).finish()
    }
}

fn draft_of(document: &Value) -> Result<Draft, SchemaError> {
    let Some(named) = document.get("$schema") else {
        return Ok(Draft::Draft7);
    };
    let text = named.as_str().unwrap_or_default().trim_end_matches('#');
    let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
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
        let mut places: Vec<String> =
            schema.expect("valid").violations(&value).iter().map(|v| v.pointer.to_string()).collect();
        places.sort();
        assert_eq!(places, ["/g", "/r"]);
    }

    #[test]
    fn a_broken_schema_is_refused_with_its_place() {
        let e = ValueSchema::parse(json!({"properties": {"a": {"type": "nummer"}}}));
        assert!(matches!(e, Err(SchemaError::Invalid { pointer, .. }) if pointer == "/properties/a/type"));
    }

    #[test]
    fn remote_references_are_refused() {
        let e = ValueSchema::parse(json!({"$ref": "https://example.com/schema.json"}));
        assert!(e.is_err());
    }

    #[test]
    fn seven_point_zero_is_an_integer() {
        let schema = ValueSchema::parse(json!({"type": "integer"})).expect("valid");
        assert!(schema.violations(&Json::parse("7.0").expect("json")).is_empty());
        assert!(!schema.violations(&Json::parse("7.5").expect("json")).is_empty());
    }
}
