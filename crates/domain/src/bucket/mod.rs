//! Buckets: calendar intervals in a time zone, and the whole UTC days inside them.

mod calendar;
mod interval;
mod windows;

pub use calendar::{Bucket, Calendar, UnknownZone};
pub use interval::{Interval, IntervalError, Weekday};
pub use windows::{DayWindow, Windows};
