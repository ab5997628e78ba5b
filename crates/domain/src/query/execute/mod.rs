//! Execution: folds the rows of a scan into bucket states, within the limits.

mod accumulator;
mod block_slice;
mod blocks;
mod fold;
mod fold_rows;
mod retained_values;
mod rows;
mod sink;
mod text_accumulator;
mod time_weighted;
mod time_weighted_mean;
mod values;

pub(super) use accumulator::{Accumulator, BucketState};
pub(super) use block_slice::passing;
pub(super) use fold::{Fold, Folded};
pub(super) use rows::{RangePart, Rows};
pub(super) use text_accumulator::{TextAccumulator, TextSample};
pub use values::{ABSOLUTE_ERROR, RELATIVE_ERROR};
pub(super) use values::{Values, runs};
