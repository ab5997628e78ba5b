//! Buckets: calendar intervals in a time zone, and the whole UTC days inside them.

mod calendar;
mod civil;
mod interval;
mod span;
mod windows;
mod zone;

pub use calendar::{Calendar, DateError};
pub use interval::{Interval, IntervalError, Weekday};
pub use span::Bucket;
pub use windows::{DayWindow, Windows};
pub use zone::UnknownZone;
