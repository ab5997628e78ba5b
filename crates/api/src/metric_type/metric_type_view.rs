//! JSON representation of a metric type.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time_series_domain::MetricType;

use crate::openapi::{Answer, Example};

/// A series and the JSON Schema of its values.
#[derive(Serialize, JsonSchema, ApiComponent)]
#[schemars(rename = "MetricType")]
pub(crate) struct MetricTypeView {
    /// Name of the series.
    series: String,
    /// JSON Schema of the values; draft 7 unless `$schema` names another draft.
    schema: Value,
    /// Human-readable description.
    description: String,
    /// Human-readable unit of the numbers.
    unit: String,
    /// JSON pointers to the numeric leaves of a value that can be aggregated. The empty pointer is
    /// the value itself.
    channels: Vec<String>,
    /// Time of the creation, UTC.
    created_at: String,
    /// Time of the last change, UTC.
    updated_at: String,
}

impl MetricTypeView {
    pub(super) fn series(&self) -> String {
        self.series.clone()
    }
}

impl From<&MetricType> for MetricTypeView {
    fn from(metric_type: &MetricType) -> Self {
        Self {
            series: metric_type.series.as_str().to_owned(),
            schema: metric_type.schema.document().clone(),
            description: metric_type.description.clone(),
            unit: metric_type.unit.clone(),
            channels: metric_type
                .channels
                .iter()
                .map(|c| c.pointer.to_string())
                .collect(),
            created_at: metric_type.created_at.to_string(),
            updated_at: metric_type.updated_at.to_string(),
        }
    }
}

impl Example for MetricTypeView {
    fn example() -> Value {
        json!({
            "series": "session.urine.color",
            "schema": color_schema(),
            "description": "rgb series representing urine color over time for each session",
            "unit": "",
            "channels": ["/b", "/g", "/r"],
            "created_at": "2025-01-01T00:00:00Z",
            "updated_at": "2025-01-01T00:00:00Z"
        })
    }
}

impl Answer for MetricTypeView {
    const STATUSES: &'static [(u16, &'static str)] = &[(200, "The metric type.")];
}

/// The definition of a metric type.
#[derive(JsonSchema, ApiComponent)]
#[schemars(rename = "MetricTypeDefinition")]
#[expect(dead_code, reason = "documents the input of parse_definition")]
pub(crate) struct MetricTypeBody {
    /// Name of the series: 1 to 255 characters of `A-Z a-z 0-9 _ . -`. Optional in a PUT.
    series: Option<String>,
    /// JSON Schema of the values. References must stay inside the document.
    schema: Value,
    /// Human-readable description.
    description: Option<String>,
    /// Human-readable unit of the numbers.
    unit: Option<String>,
}

impl Example for MetricTypeBody {
    fn example() -> Value {
        json!({
            "series": "session.urine.color",
            "schema": color_schema(),
            "description": "rgb series representing urine color over time for each session",
            "unit": ""
        })
    }
}

fn color_schema() -> Value {
    json!({
        "type": "object",
        "properties": {"r": {"type": "number"}, "g": {"type": "number"}, "b": {"type": "number"}},
        "required": ["r", "g", "b"]
    })
}
