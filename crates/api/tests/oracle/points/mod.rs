//! Points one by one: in order, in pages, thinned out, the last of each series, and what there is of each.

pub(crate) mod ask;
pub(crate) mod formats;
pub(crate) mod listing;
pub(crate) mod overview;
pub(crate) mod thinned;
