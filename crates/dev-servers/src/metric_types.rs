//! The three metric types of the original system.

use serde_json::{Value, json};
use time_series_domain::SeriesName;
use time_series_domain::metric_type::MetricTypeDefinition;

/// Returns the definitions of the metric types.
pub(crate) fn definitions() -> anyhow::Result<Vec<MetricTypeDefinition>> {
    let number = json!({"type": "number"});
    let value = object(&[("value", &number)]);
    let color = object(&[("r", &number), ("g", &number), ("b", &number)]);
    let all = [
        (
            "session.gut_health_score",
            &value,
            "float series representing a gut health score in the interval [0, 100]",
        ),
        (
            "session.urine.color",
            &color,
            "rgb series representing urine color over time for each session",
        ),
        (
            "session.urine.night_count",
            &value,
            "int series of the number of nighttime urinations",
        ),
    ];
    all.into_iter()
        .map(|(series, schema, description)| {
            let name = SeriesName::parse(series)?;
            Ok(MetricTypeDefinition::new(
                name,
                schema.clone(),
                description.to_owned(),
                String::new(),
            )?)
        })
        .collect()
}

fn object(properties: &[(&str, &Value)]) -> Value {
    let required: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    let properties: serde_json::Map<String, Value> = properties
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), (*schema).clone()))
        .collect();
    json!({"type": "object", "properties": properties, "required": required})
}
