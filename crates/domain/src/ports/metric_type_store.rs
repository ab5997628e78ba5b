//! [`MetricTypeStore`]: the port to stored metric types.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{DataVersion, PointSource, StoreError, WriteError};
use crate::UserId;
use crate::block::Block;
use crate::json::Pointer;
use crate::metric_type::{
    CatalogueChanges, MetricType, MetricTypeDefinition, SchemaVersion, StepBudget,
};

/// Stores metric types.
///
/// Every change increments the catalogue's generation by at least one and records it in the metric
/// type: in [`MetricType::generation`], and in [`MetricType::schema_generation`] unless only texts
/// changed.
#[async_trait]
pub trait MetricTypeStore: Send + Sync {
    /// Returns the changes since a generation: all metric types if `since` is `None` or is a
    /// generation for which the store has no record of the changes.
    async fn changes(&self, since: Option<u64>) -> Result<CatalogueChanges, StoreError>;

    /// Returns the metric types of the users' points, as far as they are found in `points`, and the
    /// versions, from one snapshot.
    async fn of_users(
        &self,
        users: &[UserId],
        points: &PointSource,
    ) -> Result<(DataVersion, Vec<SchemaVersion>), StoreError>;

    /// Creates a metric type, with the numeric leaves of its schema as channels.
    ///
    /// # Errors
    /// [`ChangeError::Exists`] if the name is taken.
    async fn create(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError>;

    /// Changes a metric type while writes of its points are excluded. New leaves become channels
    /// after the old ones. Old channels remain while points exist.
    ///
    /// # Errors
    /// [`ChangeError::Absent`]; [`ChangeError::Misfits`] if a stored point would violate the new
    /// schema; [`ChangeError::LeafInUse`] if stored points already have a new leaf.
    async fn update(&self, definition: &MetricTypeDefinition) -> Result<MetricType, ChangeError>;

    /// Deletes a metric type that has no points.
    ///
    /// # Errors
    /// [`ChangeError::Absent`]; [`ChangeError::InUse`] if the metric type has points.
    async fn delete(&self, series: &str) -> Result<(), ChangeError>;
}

/// Reason why a metric type was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// No metric type has the name.
    #[error("no metric type has this name")]
    Absent,
    /// The name is taken.
    #[error("a metric type of this name exists")]
    Exists,
    /// The metric type has points: delete their sessions first.
    #[error("the metric type has points; delete their sessions first")]
    InUse,
    /// A stored point would violate the new schema.
    #[error("a stored point would no longer fit: at {pointer:?} {message}")]
    Misfits {
        /// JSON pointer into the point's value.
        pointer: String,
        /// Description of the violation.
        message: String,
    },
    /// Stored points have numbers at a leaf that would become a channel.
    #[error(
        "stored points already have a number at {pointer:?}, kept as an undeclared property; \
         create a new metric type instead"
    )]
    LeafInUse {
        /// The leaf.
        pointer: String,
    },
    /// The write failed.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<StoreError> for ChangeError {
    fn from(e: StoreError) -> Self {
        Self::Write(e.into())
    }
}

/// The replacement of a schema by another one, to be checked against stored blocks.
pub struct SchemaChange<'a> {
    definition: &'a MetricTypeDefinition,
    old_channels: Vec<Pointer>,
    new_leaves: Vec<Pointer>,
}

impl<'a> SchemaChange<'a> {
    /// Creates the change from `old` to `definition`.
    #[must_use]
    pub fn new(old: &MetricType, definition: &'a MetricTypeDefinition) -> Self {
        let old_channels = old.pointers();
        let known: BTreeSet<&Pointer> = old_channels.iter().collect();
        let leaves = definition.schema.numeric_leaves();
        let new_leaves = leaves
            .iter()
            .filter(|leaf| !known.contains(leaf))
            .cloned()
            .collect();
        Self {
            definition,
            old_channels,
            new_leaves,
        }
    }

    /// The leaves that become channels, after the old ones.
    #[must_use]
    pub fn new_leaves(&self) -> &[Pointer] {
        &self.new_leaves
    }

    /// Checks that the points of a stored block fit the new schema.
    ///
    /// # Errors
    /// [`ChangeError::Misfits`] or [`ChangeError::LeafInUse`] for the first point that does not.
    pub fn check(&self, block: &Block) -> Result<(), ChangeError> {
        for point in block.points(&self.old_channels) {
            // One budget per value: each value was accepted within the budget of its session.
            let mut budget = StepBudget::default();
            if let Some(violation) = self
                .definition
                .schema
                .violations(&point.value, &mut budget)
                .into_iter()
                .next()
            {
                return Err(ChangeError::Misfits {
                    pointer: violation.pointer.to_string(),
                    message: violation.message,
                });
            }
            for leaf in &self.new_leaves {
                if matches!(leaf.find(&point.value), Some(crate::Json::Number(_))) {
                    return Err(ChangeError::LeafInUse {
                        pointer: leaf.to_string(),
                    });
                }
            }
        }
        Ok(())
    }
}
