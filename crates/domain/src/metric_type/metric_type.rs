//! Metric types as the catalogue contains them.

use std::sync::Arc;

use super::ids::{MetricTypeId, SchemaVersion};
use super::schema::ValueSchema;
use super::series_name::SeriesName;
use super::step_budget::StepBudget;
use crate::channel::Channel;
use crate::json::Pointer;
use crate::{Json, Timestamp};

/// A series: its name, the schema of its values, and its channels.
#[derive(Debug, Clone)]
pub struct MetricType {
    /// The number of the metric type in the catalogue.
    pub id: MetricTypeId,
    /// The name of the series.
    pub series: SeriesName,
    /// The schema of the values.
    pub schema: Arc<ValueSchema>,
    /// A description for people.
    pub description: String,
    /// The unit of the numbers, for people.
    pub unit: String,
    /// The numeric leaves. Indexes never change while points exist.
    pub channels: Vec<Channel>,
    /// The generation of the catalogue at the last change.
    pub generation: u64,
    /// The generation of the catalogue at the last change of the schema or channels.
    pub schema_generation: u64,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

impl MetricType {
    /// Returns the value that a row of leaves represents.
    ///
    /// A row whose only leaf is `value` represents that leaf if the schema accepts the leaf and
    /// rejects the object.
    #[must_use]
    pub fn value_of_row(&self, row: Json, budget: &mut StepBudget) -> Json {
        let Json::Object(leaves) = &row else {
            return row;
        };
        match (leaves.len(), leaves.get("value")) {
            (1, Some(value)) => {
                let is_bare = !self.schema.fits(&row, budget) && self.schema.fits(value, budget);
                if is_bare { value.clone() } else { row }
            }
            _ => row,
        }
    }

    /// Returns the number of the metric type and the generation of its schema.
    #[must_use]
    pub const fn schema_version(&self) -> SchemaVersion {
        SchemaVersion {
            metric_type: self.id,
            generation: self.schema_generation,
        }
    }

    /// Returns whether responses contain plain numbers: the only channel is the value itself or its
    /// member `value`.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        match self.channels.as_slice() {
            [only] => only.pointer.is_root() || only.pointer.tokens() == ["value"],
            _ => false,
        }
    }

    /// Returns the pointers of the channels, in order.
    #[must_use]
    pub fn pointers(&self) -> Vec<Pointer> {
        self.channels.iter().map(|c| c.pointer.clone()).collect()
    }
}
