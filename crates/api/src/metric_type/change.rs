//! What creating and updating share: reading the definition.

use apistos::ApiComponent;
use schemars::JsonSchema;
use serde::Deserialize;
use time_series_domain::SeriesName;
use time_series_domain::metric_type::{DefinitionError, MetricTypeDefinition, SchemaError};

use super::metric_type_view::MetricTypeBody;
use crate::problem::{Code, FieldError, Problem};

/// The metric type's place in the path.
#[derive(Deserialize, JsonSchema, ApiComponent)]
pub(crate) struct SeriesPath {
    /// The name of the series.
    pub(super) series: String,
}

/// Reads a definition; `path` is the name that the path gives, if it does.
pub(super) fn definition(body: &[u8], path: Option<&str>) -> Result<MetricTypeDefinition, Problem> {
    let body: MetricTypeBody = serde_json::from_slice(body).map_err(|e| {
        let detail =
            format!("The body is not a metric type {{\"series\", \"schema\", \"description\"?, \"unit\"?}}: {e}");
        let code = if e.is_data() { Code::InvalidMetricType } else { Code::InvalidBody };
        Problem::new(code, detail)
    })?;
    let series = match (path, body.series) {
        (Some(path), Some(series)) if path != series => {
            return Err(fault("/series", format!("series must be left out or be {path:?}, the one of the path")));
        }
        (Some(path), _) => path.to_owned(),
        (None, Some(series)) => series,
        (None, None) => return Err(fault("/series", "series is required".to_owned())),
    };
    let name = SeriesName::parse(&series).map_err(|e| fault("/series", format!("series {e}")))?;
    MetricTypeDefinition::new(name, body.schema, body.description, body.unit).map_err(|e| {
        let pointer = match &e {
            DefinitionError::Schema(SchemaError::Invalid { pointer, .. }) => format!("/schema{pointer}"),
            DefinitionError::Schema(SchemaError::TooLong) | DefinitionError::TooManyChannels(_) => "/schema".to_owned(),
            DefinitionError::Text(field) => format!("/{field}"),
        };
        fault(&pointer, e.to_string())
    })
}

fn fault(pointer: &str, message: String) -> Problem {
    let error = FieldError::new(pointer, "invalid_definition", message.clone());
    Problem::with_errors(Code::InvalidMetricType, message, vec![error])
}

pub(super) fn no_such_series(series: &str) -> Problem {
    let detail = format!("No metric type is named {series:?}. GET /api/metrictypes/ lists those there are.");
    Problem::new(Code::MetricTypeNotFound, detail)
}
