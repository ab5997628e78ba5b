//! Local dates and RFC 3339 labels of a calendar.

use jiff::civil::Date;

use super::calendar::Calendar;
use super::civil;
use super::date_error::DateError;
use crate::Timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;

impl Calendar {
    /// Returns the first instant of the local date `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`DateError`]; an instant outside the range of [`Timestamp`] is not clamped.
    pub fn parse_date(&self, text: &str) -> Result<Timestamp, DateError> {
        let date: Date = text.parse().map_err(|_| DateError::NotADate)?;
        if date.to_string() != text {
            return Err(DateError::NotADate);
        }
        let day = civil::day_of(
            i64::from(date.year()),
            i64::from(date.month()),
            i64::from(date.day()),
        );
        let start = self.zone.start_of(day);
        let instant = Timestamp::from_micros(start);
        if instant.micros() == start {
            Ok(instant)
        } else {
            Err(DateError::OutOfRange)
        }
    }

    /// Formats an instant as RFC 3339 with the zone's offset at that instant.
    #[must_use]
    pub fn label(&self, t: Timestamp) -> String {
        let offset = self.zone.offset(t);
        let micros = t.micros() + offset * MICROS_PER_SECOND;
        let local = Timestamp::from_micros(micros);
        // RFC 3339 has neither offsets with seconds, which zones had before 1972, nor years of five
        // digits, which local times east of UTC can have. Such times are formatted in UTC.
        if offset == 0 || offset % 60 != 0 || local.micros() != micros {
            return t.to_string();
        }
        let local = local.to_string();
        let sign = if offset < 0 { '-' } else { '+' };
        let minutes = offset.abs() / 60;
        format!(
            "{}{sign}{:02}:{:02}",
            local.trim_end_matches('Z'),
            minutes / 60,
            minutes % 60
        )
    }
}
