//! Metric types: the series that exist, what their values look like, and how they are selected.

mod catalogue;
mod definition;
mod manage;
mod numeric_leaves;
mod schema;
mod selector;
mod series_name;
mod shared_map;
mod shortcut;
mod validation_cost;

use std::sync::Arc;

pub use catalogue::{Catalogue, CatalogueCache};
pub use definition::{DefinitionError, MetricTypeDefinition};
pub use manage::{ManageError, MetricTypes};
pub use schema::{
    MAX_SCHEMA_BYTES, SchemaError, StepBudget, ValueSchema, Violation, ViolationKind,
};
pub use selector::{SelectorError, SeriesMode, SeriesSelector};
pub use series_name::{SeriesName, SeriesNameError};
pub use validation_cost::CostError;

use crate::channel::{Channel, Pointer};
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::{Json, Timestamp};

/// A metric type's number in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricTypeId(pub i32);

/// A metric type's number, and the generation of its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaVersion {
    /// The metric type.
    pub metric_type: MetricTypeId,
    /// Its [`MetricType::schema_generation`].
    pub generation: u64,
}

/// A series: its name, the schema of its values, and the channels found in it.
#[derive(Debug, Clone)]
pub struct MetricType {
    /// Its number in the catalogue.
    pub id: MetricTypeId,
    /// Its name.
    pub series: SeriesName,
    /// What its values must look like.
    pub schema: Arc<ValueSchema>,
    /// For people.
    pub description: String,
    /// Unit of its numbers, for people.
    pub unit: String,
    /// Its numeric leaves; positions never change while points exist.
    pub channels: Vec<Channel>,
    /// The catalogue's generation at its last change.
    pub generation: u64,
    /// The catalogue's generation at the last change of its schema or channels.
    pub schema_generation: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl MetricType {
    /// The value that a row of leaves stands for: where the only leaf is `value`, that itself, if it is what the schema
    /// accepts and an object is not.
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

    /// Its number and the generation of its schema.
    #[must_use]
    pub const fn schema_version(&self) -> SchemaVersion {
        SchemaVersion {
            metric_type: self.id,
            generation: self.schema_generation,
        }
    }

    /// Whether answers show its numbers bare: its only channel is the value itself, or `value` in it.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        match self.channels.as_slice() {
            [only] => only.pointer.is_root() || only.pointer.tokens() == ["value"],
            _ => false,
        }
    }

    /// The pointers of its channels, in their order.
    #[must_use]
    pub fn pointers(&self) -> Vec<Pointer> {
        self.channels.iter().map(|c| c.pointer.clone()).collect()
    }
}

impl Fingerprinted for MetricTypeId {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self(id) = self;
        id.feed(hasher);
    }
}
