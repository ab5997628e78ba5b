//! Local days of a time zone, over the whole range of [`Timestamp`].

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::civil;
use crate::Timestamp;
use crate::timestamp::MICROS_PER_DAY;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A time zone of the IANA database.
///
/// Instants of `jiff` end 26 hours before ours, and its dates with the year 9999. Behind those ends a zone keeps the
/// offset that it has there, so that every [`Timestamp`] has a local day.
#[derive(Clone)]
pub(super) struct Zone {
    rules: TimeZone,
    name: String,
}

/// No such zone in the IANA database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not an IANA time zone; use a name such as UTC or Europe/Berlin")]
pub struct UnknownZone;

impl Zone {
    /// The zone of an IANA name. `Local`, offsets and POSIX strings are not names.
    pub(super) fn get(name: &str) -> Result<Self, UnknownZone> {
        let rules = TimeZone::get(name).map_err(|_| UnknownZone)?;
        let name = rules.iana_name().ok_or(UnknownZone)?.to_owned();
        Ok(Self { rules, name })
    }

    /// The IANA name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Seconds that local time is ahead of UTC at `t`.
    pub(super) fn offset(&self, t: Timestamp) -> i64 {
        // Only the library's end can be passed: it begins 9,999 years before ours does.
        let instant = jiff::Timestamp::from_microsecond(t.micros()).unwrap_or(jiff::Timestamp::MAX);
        i64::from(self.rules.to_offset(instant).seconds())
    }

    /// The local day that holds `t`, counted from 1970-01-01.
    pub(super) fn day(&self, t: Timestamp) -> i64 {
        (t.micros() + self.offset(t) * MICROS_PER_SECOND).div_euclid(MICROS_PER_DAY)
    }

    /// The first instant whose local date is `day`, or the first after where the date was skipped; in microseconds
    /// since 1970, which may lie outside of [`Timestamp`].
    pub(super) fn start_of(&self, day: i64) -> i64 {
        let midnight = day.saturating_mul(MICROS_PER_DAY);
        let at = |offset: Offset| {
            midnight.saturating_sub(i64::from(offset.seconds()) * MICROS_PER_SECOND)
        };
        let Some(date) = library_date(day) else {
            let end = if day < 0 {
                jiff::Timestamp::MIN
            } else {
                jiff::Timestamp::MAX
            };
            return at(self.rules.to_offset(end));
        };
        match self
            .rules
            .to_ambiguous_timestamp(date.at(0, 0, 0, 0))
            .offset()
        {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            AmbiguousOffset::Fold { before, .. } => at(before),
            AmbiguousOffset::Gap { before, after } => {
                let in_gap = jiff::Timestamp::from_microsecond(at(after)).ok();
                let transition = in_gap.and_then(|t| self.rules.following(t).next());
                transition.map_or_else(
                    || at(before),
                    |transition| transition.timestamp().as_microsecond(),
                )
            }
        }
    }
}

fn library_date(day: i64) -> Option<Date> {
    let (year, month, day_of_month) = civil::date_of(day);
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day_of_month).ok()?,
    )
    .ok()
}
