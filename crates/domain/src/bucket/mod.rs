//! Calendar buckets in a time zone, and the whole UTC days inside them.

mod calendar;
mod civil;
mod date_error;
mod day_split;
mod interval;
mod local_text;
mod span;
mod weekday;
mod zone;

pub use calendar::Calendar;
pub use date_error::DateError;
pub use day_split::{DaySplit, DayWindow};
pub use interval::{Interval, IntervalError};
pub use span::Bucket;
pub use weekday::{Weekday, WeekdayError};
pub use zone::UnknownZone;
