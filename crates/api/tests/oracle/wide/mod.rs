//! Everything that an aggregate query may ask, alone and with each other.

pub(crate) mod aligned;
pub(crate) mod ask;
pub(crate) mod averages;
pub(crate) mod axis;
pub(crate) mod clauses;
pub(crate) mod compare;
mod examples;
pub(crate) mod fill;
pub(crate) mod flat;
pub(crate) mod functions;
pub(crate) mod merge;
pub(crate) mod model;
pub(crate) mod over;
pub(crate) mod play;
pub(crate) mod relations;
pub(crate) mod shapes;
pub(crate) mod table;
pub(crate) mod texts;
pub(crate) mod want;
