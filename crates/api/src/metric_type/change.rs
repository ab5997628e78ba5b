//! What creating and updating share: reading the definition.

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

/// The metric type's place in the path.
#[derive(Deserialize, JsonSchema, ApiComponent)]
pub(crate) struct SeriesPath {
    /// The name of the series.
    pub(super) series: String,
}

/// Reads a definition; `path` is the name that the path gives, if it does. Every fault is named.
pub(super) fn definition(body: &[u8], path: Option<&str>) -> Result<MetricTypeDefinition, Problem> {
    let fields: RawFields<'_> = serde_json::from_slice(body).map_err(|e| {
        Problem::new(
            Code::InvalidBody,
            format!("The body is not a JSON object: {}", bounded(e, MAX_FAULT)),
        )
    })?;
    let mut sent = Sent::default();
    for (key, raw) in &fields.0 {
        sent.read(key, raw.get());
    }
    let series = sent.series.take().or_else(|| path.map(str::to_owned));
    if let (Some(path), Some(series)) = (path, &series)
        && path != series
    {
        sent.fault(
            "series",
            format!(
                "must be left out or be {:?}, the one of the path",
                echo(path)
            ),
        );
    }
    for (field, is_missing) in [
        ("series", series.is_none()),
        ("schema", sent.schema.is_none()),
    ] {
        if is_missing && !sent.seen.iter().any(|seen| seen == field) {
            sent.fault(field, "is required");
        }
    }
    let name = series.and_then(|series| match SeriesName::parse(&series) {
        Ok(name) => Some(name),
        Err(e) => {
            sent.fault("series", e);
            None
        }
    });
    let (Some(name), Some(schema), true) = (name, sent.schema, sent.faults.is_empty()) else {
        return Err(Problem::of_faults(
            Code::InvalidMetricType,
            sent.faults,
            sent.total,
        ));
    };
    MetricTypeDefinition::new(name, schema, sent.description, sent.unit).map_err(|e| {
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
        let fault = FieldErrorView::new(&pointer, "invalid_definition", bounded(&e, MAX_FAULT));
        Problem::of_faults(Code::InvalidMetricType, vec![fault], 1)
    })
}

/// Maximum length of a schema's text; without spaces it may be as long as a schema may be.
const MAX_SCHEMA_TEXT: usize = 16 * MAX_SCHEMA_BYTES;
/// Maximum length of the description of a fault, in bytes.
const MAX_FAULT: usize = 800;
const FIELDS: [&str; 4] = ["series", "schema", "description", "unit"];

/// What was sent, as far as it could be read.
#[derive(Default)]
struct Sent {
    series: Option<String>,
    schema: Option<Value>,
    description: String,
    unit: String,
    seen: Vec<String>,
    /// The first hundred.
    faults: Vec<FieldErrorView>,
    total: usize,
}

impl Sent {
    fn read(&mut self, key: &str, raw: &str) {
        if !FIELDS.contains(&key) {
            return self.fault(
                key,
                "is not a field of a metric type; there are series, schema, description and unit",
            );
        }
        if self.seen.iter().any(|seen| seen == key) {
            return self.fault(key, "is there twice; send it once");
        }
        self.seen.push(key.to_owned());
        match key {
            "series" => self.series = self.text(key, raw),
            "description" => self.description = self.text(key, raw).unwrap_or_default(),
            "unit" => self.unit = self.text(key, raw).unwrap_or_default(),
            _ if raw.len() > MAX_SCHEMA_TEXT => self.fault(key, SchemaError::TooLong),
            _ => match serde_json::from_str(raw) {
                Ok(schema) => self.schema = Some(schema),
                Err(e) => self.fault(key, format!("cannot be read: {e}")),
            },
        }
    }

    fn text(&mut self, key: &str, raw: &str) -> Option<String> {
        let text = serde_json::from_str(raw).ok();
        if text.is_none() {
            self.fault(key, "must be a string");
        }
        text
    }

    fn fault(&mut self, key: &str, message: impl Display) {
        self.total += 1;
        if self.faults.len() < MAX_ERRORS {
            let pointer = format!(
                "/{}",
                excerpt(key, 200).replace('~', "~0").replace('/', "~1")
            );
            let message = format!("{} {}", echo(key), bounded(message, MAX_FAULT));
            self.faults
                .push(FieldErrorView::new(&pointer, "invalid_definition", message));
        }
    }
}

pub(super) fn no_such_series(series: &str) -> Problem {
    let detail = format!(
        "No metric type is named {:?}. GET /api/metrictypes/ lists those there are.",
        echo(series)
    );
    Problem::new(Code::MetricTypeNotFound, detail)
}
