//! The specification of an aggregate query. Every part is valid on its own.

mod agg_function;
mod aggregate_spec;
mod axis;
mod fill;
mod percent;
mod value_filter;

pub use agg_function::{AggFunction, UnknownFunction};
pub use aggregate_spec::{Accuracy, AggregateSpec, GroupBy};
pub use axis::{Axis, Offsets};
pub use fill::{Fill, Lookback, LookbackError};
pub use percent::Percent;
pub use value_filter::{FilterError, ValueFilter};
