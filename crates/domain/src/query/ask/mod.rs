//! What may be asked. Every part is valid by itself.

mod agg_function;
mod aggregate_query;
mod axis;
mod fill;
mod percent;
mod value_filter;

pub use agg_function::{AggFunction, UnknownFunction};
pub use aggregate_query::{Accuracy, AggregateQuery, GroupBy};
pub use axis::{Axis, Offsets};
pub use fill::{Fill, Lookback, LookbackError};
pub use percent::Percent;
pub use value_filter::{FilterError, ValueFilter};
