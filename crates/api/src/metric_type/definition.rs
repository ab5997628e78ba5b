//! Parsing of metric type definitions.

use std::fmt::Display;

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use time_series_domain::SeriesName;
use time_series_domain::json::RawFields;
use time_series_domain::metric_type::{
    DefinitionError, MAX_SCHEMA_BYTES, MetricTypeDefinition, SchemaError,
};

use time_series_domain::text::{bounded, echo, excerpt};

use crate::problem::{Code, FieldErrorView, MAX_ERRORS, Problem};

/// The metric type that the path identifies.
#[derive(Deserialize, JsonSchema, ApiComponent)]
pub(crate) struct SeriesPath {
    /// Name of the series.
    pub(super) series: String,
}

/// Parses a definition. `path` is the name in the path, if any. The problem lists every error.
pub(super) fn parse_definition(
    body: &[u8],
    path: Option<&str>,
) -> Result<MetricTypeDefinition, Problem> {
    let body: RawFields<'_> = serde_json::from_slice(body).map_err(|e| {
        Problem::new(
            Code::InvalidBody,
            format!(
                "The body is not a JSON object: {}",
                bounded(e, MAX_MESSAGE_BYTES)
            ),
        )
    })?;
    let mut fields = DefinitionFields::default();
    for (key, raw) in &body.0 {
        fields.read(key, raw.get());
    }
    let series = fields.series.take().or_else(|| path.map(str::to_owned));
    if let (Some(path), Some(series)) = (path, &series)
        && path != series
    {
        fields.error(
            "series",
            format!(
                "must be omitted or be equal to {:?}, the name in the path",
                echo(path)
            ),
        );
    }
    for (field, is_missing) in [
        ("series", series.is_none()),
        ("schema", fields.schema.is_none()),
    ] {
        if is_missing && !fields.seen.iter().any(|seen| seen == field) {
            fields.error(field, "is required");
        }
    }
    let name = series.and_then(|series| match SeriesName::parse(&series) {
        Ok(name) => Some(name),
        Err(e) => {
            fields.error("series", e);
            None
        }
    });
    let (Some(name), Some(schema), true) = (name, fields.schema, fields.errors.is_empty()) else {
        return Err(Problem::of_errors(
            Code::InvalidMetricType,
            fields.errors,
            fields.total_errors,
        ));
    };
    MetricTypeDefinition::new(name, schema, fields.description, fields.unit).map_err(|e| {
        let pointer = match &e {
            DefinitionError::Schema(SchemaError::Invalid { pointer, .. }) => {
                format!("/schema{pointer}")
            }
            DefinitionError::Schema(SchemaError::TooLong | SchemaError::Costly(_))
            | DefinitionError::TooManyChannels(_)
            | DefinitionError::AmbiguousLeaf(_) => "/schema".to_owned(),
            DefinitionError::Unreachable(_) => "/series".to_owned(),
            DefinitionError::Text(field) => format!("/{field}"),
        };
        let message = bounded(&e, MAX_MESSAGE_BYTES);
        let error = FieldErrorView::new(&pointer, "invalid_definition", message);
        Problem::of_errors(Code::InvalidMetricType, vec![error], 1)
    })
}

/// Maximum length of the text of a schema. [`MAX_SCHEMA_BYTES`] limits it without whitespace.
const MAX_SCHEMA_TEXT: usize = 16 * MAX_SCHEMA_BYTES;
/// Maximum length of the message of an error, in bytes.
const MAX_MESSAGE_BYTES: usize = 800;
const FIELDS: [&str; 4] = ["series", "schema", "description", "unit"];

/// The fields of a definition that could be parsed, and the errors in the others.
#[derive(Default)]
struct DefinitionFields {
    series: Option<String>,
    schema: Option<Value>,
    description: String,
    unit: String,
    seen: Vec<String>,
    /// The first [`MAX_ERRORS`] errors.
    errors: Vec<FieldErrorView>,
    total_errors: usize,
}

impl DefinitionFields {
    fn read(&mut self, key: &str, raw: &str) {
        if !FIELDS.contains(&key) {
            return self.error(
                key,
                "is not a field of a metric type; the fields are series, schema, description and \
                 unit",
            );
        }
        if self.seen.iter().any(|seen| seen == key) {
            return self.error(key, "must not be repeated");
        }
        self.seen.push(key.to_owned());
        match key {
            "series" => self.series = self.text(key, raw),
            "description" => self.description = self.text(key, raw).unwrap_or_default(),
            "unit" => self.unit = self.text(key, raw).unwrap_or_default(),
            _ if raw.len() > MAX_SCHEMA_TEXT => self.error(key, SchemaError::TooLong),
            _ => match serde_json::from_str(raw) {
                Ok(schema) => self.schema = Some(schema),
                Err(e) => self.error(key, format!("could not be parsed: {e}")),
            },
        }
    }

    fn text(&mut self, key: &str, raw: &str) -> Option<String> {
        let text = serde_json::from_str(raw).ok();
        if text.is_none() {
            self.error(key, "must be a string");
        }
        text
    }

    fn error(&mut self, key: &str, message: impl Display) {
        self.total_errors += 1;
        if self.errors.len() < MAX_ERRORS {
            let pointer = format!(
                "/{}",
                excerpt(key, 200).replace('~', "~0").replace('/', "~1")
            );
            let message = format!("{} {}", echo(key), bounded(message, MAX_MESSAGE_BYTES));
            self.errors
                .push(FieldErrorView::new(&pointer, "invalid_definition", message));
        }
    }
}

pub(super) fn metric_type_not_found(series: &str) -> Problem {
    let detail = format!(
        "The metric type {:?} does not exist. GET /api/metrictypes/ lists the metric types.",
        echo(series)
    );
    Problem::new(Code::MetricTypeNotFound, detail)
}
