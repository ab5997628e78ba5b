//! What creating and updating share: reading the definition.

use std::fmt::Display;

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use time_series_domain::SeriesName;
use time_series_domain::json::RawFields;
use time_series_domain::metric_type::{DefinitionError, MetricTypeDefinition, SchemaError};

use crate::problem::{Code, FieldError, Problem};

/// The metric type's place in the path.
#[derive(Deserialize, JsonSchema, ApiComponent)]
pub(crate) struct SeriesPath {
    /// The name of the series.
    pub(super) series: String,
}

/// Reads a definition; `path` is the name that the path gives, if it does. Every fault is named.
pub(super) fn definition(body: &[u8], path: Option<&str>) -> Result<MetricTypeDefinition, Problem> {
    let fields: RawFields<'_> = serde_json::from_slice(body)
        .map_err(|e| Problem::new(Code::InvalidBody, format!("The body is not a JSON object: {e}")))?;
    let mut sent = Sent::default();
    for (key, raw) in &fields.0 {
        sent.read(key, raw.get());
    }
    let series = sent.series.take().or_else(|| path.map(str::to_owned));
    if let (Some(path), Some(series)) = (path, &series)
        && path != series
    {
        sent.fault("series", format!("must be left out or be {path:?}, the one of the path"));
    }
    for (field, is_missing) in [("series", series.is_none()), ("schema", sent.schema.is_none())] {
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
        return Err(problem(sent.faults));
    };
    MetricTypeDefinition::new(name, schema, sent.description, sent.unit).map_err(|e| {
        let pointer = match &e {
            DefinitionError::Schema(SchemaError::Invalid { pointer, .. }) => format!("/schema{pointer}"),
            DefinitionError::Schema(SchemaError::TooLong) | DefinitionError::TooManyChannels(_) => "/schema".to_owned(),
            DefinitionError::Text(field) => format!("/{field}"),
        };
        problem(vec![FieldError::new(&pointer, "invalid_definition", e.to_string())])
    })
}

const FIELDS: [&str; 4] = ["series", "schema", "description", "unit"];

/// What was sent, as far as it could be read.
#[derive(Default)]
struct Sent {
    series: Option<String>,
    schema: Option<Value>,
    description: String,
    unit: String,
    seen: Vec<String>,
    faults: Vec<FieldError>,
}

impl Sent {
    fn read(&mut self, key: &str, raw: &str) {
        if !FIELDS.contains(&key) {
            return self.fault(key, "is not a field of a metric type; there are series, schema, description and unit");
        }
        if self.seen.iter().any(|seen| seen == key) {
            return self.fault(key, "is there twice; send it once");
        }
        self.seen.push(key.to_owned());
        match key {
            "series" => self.series = self.text(key, raw),
            "description" => self.description = self.text(key, raw).unwrap_or_default(),
            "unit" => self.unit = self.text(key, raw).unwrap_or_default(),
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
        let pointer = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
        self.faults.push(FieldError::new(&pointer, "invalid_definition", format!("{key} {message}")));
    }
}

fn problem(faults: Vec<FieldError>) -> Problem {
    let messages: Vec<&str> = faults.iter().map(|f| f.message.as_str()).collect();
    Problem::with_errors(Code::InvalidMetricType, messages.join("; "), faults)
}

pub(super) fn no_such_series(series: &str) -> Problem {
    let detail = format!("No metric type is named {series:?}. GET /api/metrictypes/ lists those there are.");
    Problem::new(Code::MetricTypeNotFound, detail)
}
