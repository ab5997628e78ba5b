//! The naive model: all points in memory, aggregated by the definition of each parameter.

pub(crate) mod aggregate;
pub(crate) mod axis;
mod examples;
pub(crate) mod expected;
mod fill;
pub(crate) mod functions;
mod over;
pub(crate) mod points;
pub(crate) mod rounding;
pub(crate) mod rows;
mod text;
mod time_average;
