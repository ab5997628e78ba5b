//! Points: what a session is made of.

mod time_series_point;

pub use time_series_point::TimeSeriesPoint;
