//! Points: the measurements that a session consists of.

mod time_series_point;

pub use time_series_point::TimeSeriesPoint;
