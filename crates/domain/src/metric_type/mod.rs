//! Metric types: the series, the JSON Schemas of their values, and the selection of series.
//!
//! An administrator submits a `MetricTypeDefinition`; the `Catalogue` contains each `MetricType`. A
//! `ValueSchema` compiles the schema and bounds the cost of validation. Only
//! [`MetricTypeId`], [`SchemaVersion`] and [`SeriesName`] are available without the feature
//! `schema`.

#[cfg(feature = "schema")]
mod catalogue;
#[cfg(feature = "schema")]
mod changes;
#[cfg(feature = "schema")]
mod definition;
#[cfg(feature = "schema")]
mod draft;
mod ids;
#[cfg(feature = "schema")]
#[expect(clippy::module_inception, reason = "named after its type")]
mod metric_type;
#[cfg(feature = "schema")]
mod numeric_leaves;
#[cfg(feature = "schema")]
mod numeric_schema;
#[cfg(feature = "schema")]
mod schema;
#[cfg(feature = "schema")]
mod schema_error;
#[cfg(feature = "schema")]
mod selector;
mod series_name;
#[cfg(feature = "schema")]
mod shared_map;
#[cfg(feature = "schema")]
mod step_budget;
#[cfg(feature = "schema")]
mod validation_cost;
#[cfg(feature = "schema")]
mod violation;

pub use ids::{MetricTypeId, SchemaVersion};
pub use series_name::{SeriesName, SeriesNameError};
#[cfg(feature = "schema")]
pub use {
    catalogue::Catalogue,
    changes::CatalogueChanges,
    definition::{DefinitionError, MetricTypeDefinition},
    metric_type::MetricType,
    schema::ValueSchema,
    schema_error::{MAX_SCHEMA_BYTES, SchemaError},
    selector::{SelectorError, SeriesMode, SeriesSelector},
    step_budget::StepBudget,
    validation_cost::CostError,
    violation::{Violation, ViolationKind},
};
