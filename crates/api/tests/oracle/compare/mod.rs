//! Comparison of answers with the model, and of answers with each other.

pub(crate) mod aggregate_rows;
pub(crate) mod body;
pub(crate) mod csv;
pub(crate) mod flat;
pub(crate) mod leaf_summary;
pub(crate) mod metadata;
pub(crate) mod points;
pub(crate) mod table;
