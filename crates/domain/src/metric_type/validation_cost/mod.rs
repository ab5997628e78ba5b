//! Upper bounds on the steps of the JSON Schema validator, computed before it runs.
//!
//! The `jsonschema` crate has no step limit. A schema that applies two subschemas to the same part
//! of a value may take 2^n steps for a value of n levels. The cost of a schema is therefore
//! computed when it is defined: for each number of levels below the root of a value, the steps per
//! part of the value at that level. The cost of a value is the sum over its parts.

mod branches;
mod choice;
mod compile_cost;
mod cost;
mod cost_error;
mod cost_table;
mod estimate;
mod evaluation_order;
mod graph;
mod limits;
mod pattern_size;
mod references;
mod steps;

pub(super) use cost::ValidationCost;
pub use cost_error::CostError;
pub(super) use estimate::Estimate;
pub(super) use limits::{MAX_SESSION_STEPS, MAX_VALUE_STEPS};

#[cfg(test)]
mod tests;
