//! Splits a time range into whole UTC days, which day summaries cover, and the remaining ranges.

use std::ops::Range;

use super::Calendar;
use super::interval::Interval;
use crate::timestamp::MICROS_PER_DAY;
use crate::{Timestamp, UtcDay};

/// Maximum number of buckets that a range is split along: days of 270 years, longer than the range
/// that points can lie in. A range of more buckets is not split.
const MAX_BUCKETS: usize = 100_000;

/// Consecutive whole UTC days inside one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayWindow {
    /// The start of the bucket.
    pub bucket: Timestamp,
    /// The days.
    pub days: Range<UtcDay>,
}

/// A time range as windows of whole days and remaining ranges: every instant lies in exactly one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DaySplit {
    /// Windows of whole days: ascending, disjoint.
    pub windows: Vec<DayWindow>,
    /// The parts of the range outside all windows: ascending, disjoint, not adjacent.
    pub ranges: Vec<Range<Timestamp>>,
}

impl DaySplit {
    /// Splits `range` along the buckets of `calendar`.
    #[must_use]
    pub fn split(calendar: &Calendar, range: &Range<Timestamp>) -> Self {
        let mut split = Self::default();
        if range.is_empty() {
            return split;
        }
        // A bucket shorter than a UTC day contains no whole day.
        if let Interval::Seconds(seconds) = calendar.interval()
            && i64::from(seconds) * 1_000_000 < MICROS_PER_DAY
        {
            split.ranges.push(range.clone());
            return split;
        }
        if calendar.min_buckets(range) > MAX_BUCKETS {
            return Self::without_days(range);
        }
        for bucket in calendar.buckets(range.clone()) {
            let start = bucket.start().max(range.start);
            let end = bucket.end().min(range.end);
            let days = UtcDay::ceil(start)..end.utc_day();
            if days.is_empty() {
                split.push_range(start..end);
                continue;
            }
            split.push_range(start..days.start.start());
            split.push_range(days.end.start()..end);
            split.windows.push(DayWindow {
                bucket: bucket.start(),
                days,
            });
        }
        split
    }

    /// Returns the range without windows, for queries that day summaries cannot answer.
    #[must_use]
    pub fn without_days(range: &Range<Timestamp>) -> Self {
        let ranges = if range.is_empty() {
            Vec::new()
        } else {
            vec![range.clone()]
        };
        Self {
            windows: Vec::new(),
            ranges,
        }
    }

    /// Appends a range after the last one, and merges the two if they are adjacent.
    pub(crate) fn push_range(&mut self, range: Range<Timestamp>) {
        if range.is_empty() {
            return;
        }
        match self.ranges.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.ranges.push(range),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Weekday;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect(text)
    }

    fn split(interval: &str, zone: &str, start: &str, end: &str) -> DaySplit {
        let interval = Interval::parse(interval).expect(interval);
        let calendar = Calendar::new(interval, zone, Weekday::Monday).expect(zone);
        DaySplit::split(&calendar, &(at(start)..at(end)))
    }

    #[test]
    fn utc_months_leave_only_the_ends() {
        let s = split(
            "month",
            "UTC",
            "2025-01-10T06:00:00Z",
            "2025-03-01T00:00:00Z",
        );
        assert_eq!(s.windows.len(), 2);
        assert_eq!(
            s.ranges,
            [at("2025-01-10T06:00:00Z")..at("2025-01-11T00:00:00Z")]
        );
    }

    #[test]
    fn a_month_boundary_inside_a_utc_day_splits_that_day_off() {
        let s = split(
            "month",
            "America/New_York",
            "2025-01-01T05:00:00Z",
            "2025-03-01T05:00:00Z",
        );
        assert_eq!(
            s.ranges[1],
            at("2025-02-01T00:00:00Z")..at("2025-02-02T00:00:00Z")
        );
    }

    #[test]
    fn days_of_a_shifted_zone_are_one_range() {
        let s = split(
            "day",
            "Asia/Kathmandu",
            "2025-01-01T00:00:00Z",
            "2025-02-01T00:00:00Z",
        );
        assert!(s.windows.is_empty());
        assert_eq!(s.ranges.len(), 1);
    }

    #[test]
    fn everything_is_covered_once() {
        for zone in ["UTC", "America/New_York", "Pacific/Apia"] {
            for interval in ["6h", "24h", "day", "week", "month", "all"] {
                let (start, end) = (at("2011-11-05T03:00:00Z"), at("2012-02-03T04:05:06Z"));
                let s = split(
                    interval,
                    zone,
                    "2011-11-05T03:00:00Z",
                    "2012-02-03T04:05:06Z",
                );
                let mut parts = s.ranges.clone();
                parts.extend(
                    s.windows
                        .iter()
                        .map(|w| w.days.start.start()..w.days.end.start()),
                );
                parts.sort_by_key(|r| r.start);
                assert_eq!(
                    parts.first().map(|r| r.start),
                    Some(start),
                    "{zone} {interval}"
                );
                assert_eq!(parts.last().map(|r| r.end), Some(end), "{zone} {interval}");
                for pair in parts.windows(2) {
                    assert_eq!(pair[0].end, pair[1].start, "{zone} {interval}");
                }
            }
        }
    }
}
