//! Finalization: turns the bucket states of a fold into the rows of the answer.

mod assemble;
mod fill_gaps;
mod over_groups;
mod series_rows;

pub(super) use assemble::finalize;
