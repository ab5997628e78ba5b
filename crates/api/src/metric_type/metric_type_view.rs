//! A metric type as it is shown.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use time_series_domain::MetricType;

use crate::openapi::{Answer, Example};

/// A series: what its values look like.
#[derive(Serialize, JsonSchema, ApiComponent)]
#[schemars(rename = "MetricType")]
pub(crate) struct MetricTypeView {
    /// Its name.
    series: String,
    /// The JSON Schema of its values; draft 7 unless `$schema` says otherwise.
    schema: Value,
    /// For people.
    description: String,
    /// Unit of its numbers, for people.
    unit: String,
    /// The numeric leaves that are aggregated, as JSON pointers into a value; the empty pointer is the value itself.
    channels: Vec<String>,
    /// When it was created.
    created_at: String,
    /// When it was changed last.
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

/// A metric type to be stored.
#[derive(JsonSchema, ApiComponent)]
#[schemars(rename = "MetricTypeDefinition")]
#[expect(dead_code, reason = "documents what definition() reads")]
pub(crate) struct MetricTypeBody {
    /// Its name: 1 to 255 of `A-Z a-z 0-9 _ . -`. In a PUT it may be left out.
    series: Option<String>,
    /// The JSON Schema of its values; references must stay inside the document.
    schema: Value,
    /// For people.
    description: Option<String>,
    /// Unit of its numbers, for people.
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
