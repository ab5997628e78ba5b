//! Splits a range into whole UTC days, which day summaries answer, and the rest.

use std::ops::Range;

use super::{Calendar, Interval};
use crate::timestamp::MICROS_PER_DAY;
use crate::{Timestamp, UtcDay};

/// Maximum number of buckets that a range is split along: days of 270 years, more than points can lie in. A longer
/// range is one stretch.
const MOST_BUCKETS: usize = 100_000;

/// Whole UTC days that all lie in one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayWindow {
    /// The start of the bucket.
    pub bucket: Timestamp,
    /// The days.
    pub days: Range<UtcDay>,
}

/// A range, split: every instant of it lies in one window or in one stretch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Windows {
    /// In order, disjoint.
    pub windows: Vec<DayWindow>,
    /// The parts of the range in no window, in order, disjoint, not touching.
    pub stretches: Vec<Range<Timestamp>>,
}

impl Windows {
    /// Splits `range` along the buckets of `calendar`.
    #[must_use]
    pub fn split(calendar: &Calendar, range: &Range<Timestamp>) -> Self {
        let mut split = Self::default();
        if range.is_empty() {
            return split;
        }
        // No bucket shorter than a UTC day holds a whole one.
        if let Interval::Seconds(seconds) = calendar.interval()
            && i64::from(seconds) * 1_000_000 < MICROS_PER_DAY
        {
            split.stretches.push(range.clone());
            return split;
        }
        if calendar.least_buckets(range) > MOST_BUCKETS {
            return Self::without_days(range);
        }
        for bucket in calendar.buckets(range.clone()) {
            let start = bucket.start().max(range.start);
            let end = bucket.end().min(range.end);
            let days = UtcDay::ceil(start)..end.utc_day();
            if days.is_empty() {
                split.stretch(start..end);
                continue;
            }
            split.stretch(start..days.start.start());
            split.stretch(days.end.start()..end);
            split.windows.push(DayWindow {
                bucket: bucket.start(),
                days,
            });
        }
        split
    }

    /// The range as one stretch: for what day summaries cannot answer.
    #[must_use]
    pub fn without_days(range: &Range<Timestamp>) -> Self {
        let stretches = if range.is_empty() {
            Vec::new()
        } else {
            vec![range.clone()]
        };
        Self {
            windows: Vec::new(),
            stretches,
        }
    }

    /// Adds a stretch behind the last, one with it where they touch.
    pub(crate) fn stretch(&mut self, part: Range<Timestamp>) {
        if part.is_empty() {
            return;
        }
        match self.stretches.last_mut() {
            Some(last) if last.end == part.start => last.end = part.end,
            _ => self.stretches.push(part),
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

    fn split(interval: &str, zone: &str, start: &str, end: &str) -> Windows {
        let interval = Interval::parse(interval).expect(interval);
        let calendar = Calendar::new(interval, zone, Weekday::Monday).expect(zone);
        Windows::split(&calendar, &(at(start)..at(end)))
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
            s.stretches,
            [at("2025-01-10T06:00:00Z")..at("2025-01-11T00:00:00Z")]
        );
    }

    #[test]
    fn a_shifted_month_cuts_one_whole_day() {
        let s = split(
            "month",
            "America/New_York",
            "2025-01-01T05:00:00Z",
            "2025-03-01T05:00:00Z",
        );
        assert_eq!(
            s.stretches[1],
            at("2025-02-01T00:00:00Z")..at("2025-02-02T00:00:00Z")
        );
    }

    #[test]
    fn shifted_days_are_one_stretch() {
        let s = split(
            "day",
            "Asia/Kathmandu",
            "2025-01-01T00:00:00Z",
            "2025-02-01T00:00:00Z",
        );
        assert!(s.windows.is_empty());
        assert_eq!(s.stretches.len(), 1);
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
                let mut parts: Vec<Range<Timestamp>> = s.stretches.clone();
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
