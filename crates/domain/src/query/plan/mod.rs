//! Planning: what a query reads, and how much that is.

mod estimate;
mod level;
mod scan_plan;

pub(super) use estimate::Estimate;
pub(super) use scan_plan::Plan;
