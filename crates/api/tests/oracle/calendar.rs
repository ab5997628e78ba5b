//! Calendar buckets by the definition: which local day holds an instant, and what its number says.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const DAY: i64 = 86_400 * SECOND;

pub(crate) const ZONES: [&str; 10] = [
    "UTC",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "America/St_Johns",
    "America/Havana",
    "Africa/Cairo",
    "Antarctica/Troll",
];

pub(crate) const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Seconds since the local midnight.
    Elapsed(i64),
    Days(i64),
    Weeks(i64),
    Months(i64),
    All,
}

/// Spellings of intervals, and what they mean.
pub(crate) const INTERVALS: [(&str, Step); 26] = [
    ("", Step::Weeks(1)),
    ("min", Step::Elapsed(60)),
    ("30s", Step::Elapsed(30)),
    ("15m", Step::Elapsed(900)),
    ("7m", Step::Elapsed(420)),
    ("90m", Step::Elapsed(5_400)),
    ("hour", Step::Elapsed(3_600)),
    ("6h", Step::Elapsed(21_600)),
    ("7h", Step::Elapsed(25_200)),
    ("24h", Step::Elapsed(86_400)),
    ("day", Step::Days(1)),
    ("1d", Step::Days(1)),
    ("3d", Step::Days(3)),
    ("10d", Step::Days(10)),
    ("week", Step::Weeks(1)),
    ("2w", Step::Weeks(2)),
    ("5w", Step::Weeks(5)),
    ("month", Step::Months(1)),
    ("3mo", Step::Months(3)),
    ("5mo", Step::Months(5)),
    ("quarter", Step::Months(3)),
    ("year", Step::Months(12)),
    ("2y", Step::Months(24)),
    ("1y", Step::Months(12)),
    ("all", Step::All),
    ("minute", Step::Elapsed(60)),
];

pub(crate) fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).expect("an instant of our times")
}

pub(crate) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone of the data base")
}

/// A calendar in a zone.
pub(crate) struct Calendar {
    pub(crate) zone: TimeZone,
    pub(crate) step: Step,
    /// 0 is Monday.
    pub(crate) week_start: usize,
}

impl Calendar {
    pub(crate) fn utc() -> Self {
        Self {
            zone: TimeZone::UTC,
            step: Step::Days(1),
            week_start: 0,
        }
    }

    /// Where a date begins: its first midnight, or where there is none the first instant after the gap.
    pub(crate) fn midnight(&self, date: Date) -> i64 {
        let wanted = date.at(0, 0, 0, 0);
        let at = |offset: Offset| {
            offset
                .to_timestamp(wanted)
                .expect("an instant of our times")
        };
        let begins = match self.zone.to_ambiguous_timestamp(wanted).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            // The clock goes back over midnight: it comes twice, first by the older offset.
            AmbiguousOffset::Fold { before, .. } => at(before),
            // The clock jumps over midnight: the jump is not after this, and it is the last one before.
            AmbiguousOffset::Gap { before, .. } => {
                let not_before = at(before);
                let mut earlier = self
                    .zone
                    .preceding(timestamp(not_before.as_microsecond() + 1));
                earlier
                    .next()
                    .expect("a gap comes of a transition")
                    .timestamp()
            }
        };
        begins.as_microsecond()
    }

    /// The local day that holds an instant: the last one to begin at or before it.
    pub(crate) fn day_of(&self, micros: i64) -> Date {
        let shown = self.zone.to_datetime(timestamp(micros)).date();
        let mut day = shown.tomorrow().expect("a date of our times");
        while self.midnight(day) > micros {
            day = day.yesterday().expect("a date of our times");
        }
        day
    }

    /// The start of the bucket that holds an instant; for all, that of the range.
    pub(crate) fn bucket(&self, micros: i64, range_start: i64) -> i64 {
        let day = self.day_of(micros);
        let floor = |number: i64, step: i64| number.div_euclid(step) * step;
        match self.step {
            Step::All => range_start,
            Step::Elapsed(seconds) => {
                let midnight = self.midnight(day);
                midnight + floor(micros - midnight, seconds * SECOND)
            }
            Step::Days(n) => self.midnight(date_of(floor(day_number(day), n))),
            Step::Weeks(n) => {
                // 1970-01-01 was a Thursday: how many days after the start of its week?
                let zeroth = -(3 - self.week_start as i64).rem_euclid(7);
                self.midnight(date_of(zeroth + floor(day_number(day) - zeroth, 7 * n)))
            }
            Step::Months(n) => {
                let months = (i64::from(day.year()) - 1970) * 12 + i64::from(day.month()) - 1;
                let first = floor(months, n);
                let year = i16::try_from(1970 + first.div_euclid(12)).expect("a year of our times");
                let month = i8::try_from(first.rem_euclid(12) + 1).expect("a month");
                self.midnight(date(year, month, 1))
            }
        }
    }

    /// What the clocks are ahead of UTC, in seconds.
    pub(crate) fn offset(&self, micros: i64) -> i32 {
        self.zone.to_offset(timestamp(micros)).seconds()
    }

    /// The instants between 1971 and 2026 at which the clocks changed.
    pub(crate) fn transitions(&self) -> Vec<i64> {
        let from = timestamp(366 * DAY);
        let all = self
            .zone
            .following(from)
            .map(|t| t.timestamp().as_microsecond());
        all.take_while(|t| *t < 20_440 * DAY).collect()
    }
}

/// Days since 1970-01-01.
pub(crate) fn day_number(day: Date) -> i64 {
    let since = day.since(date(1970, 1, 1)).expect("dates of our times");
    i64::from(since.get_days())
}

pub(crate) fn date_of(number: i64) -> Date {
    let hours = 24 * number;
    date(1970, 1, 1)
        .checked_add(jiff::SignedDuration::from_hours(hours))
        .expect("a date of our times")
}
