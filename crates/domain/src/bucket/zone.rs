//! Local days of a time zone, over the whole range of [`Timestamp`].

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::civil;
use crate::Timestamp;
use crate::timestamp::MICROS_PER_DAY;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A time zone of the IANA database.
///
/// Instants of `jiff` end 26 hours before [`Timestamp::MAX`], and its dates with the year 9999.
/// Beyond those limits a zone keeps its last offset, so that every [`Timestamp`] has a local day.
#[derive(Clone)]
pub(super) struct Zone {
    rules: TimeZone,
    name: String,
}

/// The IANA database has no zone of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not an IANA time zone; use a name such as UTC or Europe/Berlin")]
pub struct UnknownZone;

impl Zone {
    /// Returns the zone UTC.
    pub(super) fn utc() -> Self {
        Self {
            rules: TimeZone::UTC,
            name: "UTC".to_owned(),
        }
    }

    /// Looks up an IANA name. `Local`, offsets and POSIX strings are not names.
    pub(super) fn get(name: &str) -> Result<Self, UnknownZone> {
        let rules = TimeZone::get(name).map_err(|_| UnknownZone)?;
        let name = rules.iana_name().ok_or(UnknownZone)?.to_owned();
        Ok(Self { rules, name })
    }

    /// Returns the IANA name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the UTC offset at `t`, in seconds; positive east of UTC.
    pub(super) fn offset(&self, t: Timestamp) -> i64 {
        // Only the upper limit can be exceeded: `jiff` starts at the year -9999.
        let instant = jiff::Timestamp::from_microsecond(t.micros()).unwrap_or(jiff::Timestamp::MAX);
        i64::from(self.rules.to_offset(instant).seconds())
    }

    /// Returns the local day that contains `t`, counted from 1970-01-01.
    pub(super) fn day(&self, t: Timestamp) -> i64 {
        (t.micros() + self.offset(t) * MICROS_PER_SECOND).div_euclid(MICROS_PER_DAY)
    }

    /// Returns the first instant whose local date is `day`, or the first instant after a skipped
    /// date.
    ///
    /// The unit is µs since 1970. The result may lie outside the range of [`Timestamp`].
    pub(super) fn start_of(&self, day: i64) -> i64 {
        let midnight = day.saturating_mul(MICROS_PER_DAY);
        let Some(date) = jiff_date(day) else {
            let end = if day < 0 {
                jiff::Timestamp::MIN
            } else {
                jiff::Timestamp::MAX
            };
            return to_utc(midnight, self.rules.to_offset(end));
        };
        match self
            .rules
            .to_ambiguous_timestamp(date.at(0, 0, 0, 0))
            .offset()
        {
            AmbiguousOffset::Unambiguous { offset } => to_utc(midnight, offset),
            AmbiguousOffset::Fold { before, .. } => to_utc(midnight, before),
            AmbiguousOffset::Gap { before, after } => {
                let in_gap = jiff::Timestamp::from_microsecond(to_utc(midnight, after)).ok();
                let transition = in_gap.and_then(|t| self.rules.following(t).next());
                transition.map_or_else(
                    || to_utc(midnight, before),
                    |transition| transition.timestamp().as_microsecond(),
                )
            }
        }
    }
}

/// Converts local microseconds since 1970 to UTC.
fn to_utc(local_micros: i64, offset: Offset) -> i64 {
    local_micros.saturating_sub(i64::from(offset.seconds()) * MICROS_PER_SECOND)
}

/// Returns the date of a day counted from 1970-01-01; `None` outside the years -9999 to 9999.
fn jiff_date(day: i64) -> Option<Date> {
    let (year, month, day_of_month) = civil::date_of(day);
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day_of_month).ok()?,
    )
    .ok()
}
