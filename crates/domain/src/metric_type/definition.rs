//! What an admin says of a metric type.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::{SchemaError, SeriesName, ValueSchema};
use crate::channel::Pointer;
use crate::text::bounded;

/// Channels a metric type may have: each is a column of every block.
const MAX_CHANNELS: usize = 256;
/// The longest description or unit, in bytes.
const MAX_TEXT: usize = 4_096;
/// The longest name of a leaf in a message, in bytes.
const MAX_SHOWN_NAME: usize = 200;

/// A metric type that could be stored: name, compiled schema, texts.
#[derive(Debug, Clone)]
pub struct MetricTypeDefinition {
    /// Its name.
    pub series: SeriesName,
    /// What its values must look like.
    pub schema: Arc<ValueSchema>,
    /// For people; may be empty.
    pub description: String,
    /// Unit of its numbers, for people; may be empty.
    pub unit: String,
}

/// Why a definition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// The schema is refused.
    #[error("schema {0}")]
    Schema(#[from] SchemaError),
    /// The schema declares too many numeric leaves.
    #[error("schema declares {0} numeric leaves; at most 256 can be kept as channels")]
    TooManyChannels(usize),
    /// Two leaves would be called the same.
    #[error(
        "schema has two numeric leaves that are both called {0:?} in flat rows and in where; rename one of the keys"
    )]
    AmbiguousLeaf(String),
    /// A URL cannot name it.
    #[error("series must not be {0:?}, which is a step in a URL's path")]
    Unreachable(String),
    /// A text is too long or contains NUL.
    #[error("{0} must be at most 4096 bytes without NUL characters")]
    Text(&'static str),
}

impl MetricTypeDefinition {
    /// Checks and compiles a definition.
    ///
    /// # Errors
    /// [`DefinitionError`] for a broken schema or text.
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
