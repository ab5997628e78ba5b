//! Definitions of metric types, as an administrator submits them.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::schema::ValueSchema;
use super::schema_error::SchemaError;
use super::series_name::SeriesName;
use crate::json::Pointer;
use crate::text::bounded;

/// Maximum number of channels of a metric type: each is a column of every block.
const MAX_CHANNELS: usize = 256;
/// Maximum length of a description or unit, in bytes.
const MAX_TEXT: usize = 4_096;
/// Maximum length of the name of a leaf in a message, in bytes.
const MAX_SHOWN_NAME: usize = 200;

/// A valid definition of a metric type: name, compiled schema, description and unit.
#[derive(Debug, Clone)]
pub struct MetricTypeDefinition {
    /// The name of the series.
    pub series: SeriesName,
    /// The schema of the values.
    pub schema: Arc<ValueSchema>,
    /// A description for people; may be empty.
    pub description: String,
    /// The unit of the numbers, for people; may be empty.
    pub unit: String,
}

/// The definition is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// The schema is not accepted.
    #[error("schema {0}")]
    Schema(#[from] SchemaError),
    /// The schema declares too many numeric leaves.
    #[error("schema declares {0} numeric leaves; at most 256 can be kept as channels")]
    TooManyChannels(usize),
    /// Two leaves would have the same name.
    #[error(
        "schema has two numeric leaves with the name {0:?} in flat rows and in where; rename one of the keys"
    )]
    AmbiguousLeaf(String),
    /// The name cannot be a path segment of a URL.
    #[error("series must not be {0:?}, which is a relative segment of a URL's path")]
    Unreachable(String),
    /// A text is too long or contains NUL.
    #[error("{0} must be at most 4096 bytes without NUL characters")]
    Text(&'static str),
}

impl MetricTypeDefinition {
    /// Validates a definition and compiles its schema.
    ///
    /// # Errors
    /// [`DefinitionError`] for an invalid name, text or schema.
    pub fn new(
        series: SeriesName,
        schema: Value,
        description: String,
        unit: String,
    ) -> Result<Self, DefinitionError> {
        if matches!(series.as_str(), "." | "..") {
            return Err(DefinitionError::Unreachable(series.to_string()));
        }
        for (name, text) in [("description", &description), ("unit", &unit)] {
            if text.len() > MAX_TEXT || text.contains('\0') {
                return Err(DefinitionError::Text(name));
            }
        }
        if contains_nul(&schema) {
            return Err(DefinitionError::Text("schema"));
        }
        let schema = ValueSchema::define(schema)?;
        let channels = schema.numeric_leaves();
        if channels.len() > MAX_CHANNELS {
            return Err(DefinitionError::TooManyChannels(channels.len()));
        }
        let mut names = HashSet::new();
        if let Some(twice) = channels
            .iter()
            .map(Pointer::dotted)
            .find(|name| !names.insert(name.clone()))
        {
            return Err(DefinitionError::AmbiguousLeaf(bounded(
                twice,
                MAX_SHOWN_NAME,
            )));
        }
        Ok(Self {
            series,
            schema: Arc::new(schema),
            description,
            unit,
        })
    }
}

fn contains_nul(value: &Value) -> bool {
    match value {
        Value::String(s) => s.contains('\0'),
        Value::Array(items) => items.iter().any(contains_nul),
        Value::Object(members) => members
            .iter()
            .any(|(k, v)| k.contains('\0') || contains_nul(v)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
