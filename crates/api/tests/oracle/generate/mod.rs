//! Random sessions and what clients do with them. The strategies shrink to few and simple points.

pub(crate) mod case;
pub(crate) mod operation;
pub(crate) mod session;
pub(crate) mod time_span;
