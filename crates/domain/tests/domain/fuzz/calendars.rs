//! Buckets of every zone, interval and start of the week, at both ends of time and at transitions.

use std::ops::Range;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use time_series_domain::bucket::{DaySplit, DayWindow};
use time_series_domain::{Calendar, Interval, MICROS_PER_DAY, Timestamp, Weekday};

use crate::fuzz::harness::fuzz;

const WEEKDAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// The last instant that a bucket contains.
const LAST: Timestamp = Timestamp::MAX.plus_micros(-1);

fn all_zones() -> Vec<String> {
    jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect()
}

/// The smallest, the largest and usual multiples of each kind of interval.
fn extreme_intervals() -> Vec<Interval> {
    let seconds = [1, 60, 3_600, 7 * 3_600, 86_399, 86_400].map(Interval::Seconds);
    let days = [1, 2, 365_250].map(Interval::Days);
    let weeks = [1, 2, 52_178].map(Interval::Weeks);
    let months = [1, 3, 12, 11_999, 12_000].map(Interval::Months);
    [&seconds[..], &days, &weeks, &months, &[Interval::All]].concat()
}

fn of_kind(multiple: u32, kind: usize) -> Interval {
    [
        Interval::Seconds,
        Interval::Days,
        Interval::Weeks,
        Interval::Months,
    ][kind](multiple)
}

fn interval() -> impl Strategy<Value = Interval> {
    prop_oneof![
        prop::sample::select(extreme_intervals()),
        (1..=86_400_u32).prop_map(Interval::Seconds),
        (1..=365_250_u32).prop_map(Interval::Days),
        (1..=52_178_u32).prop_map(Interval::Weeks),
        (1..=12_000_u32).prop_map(Interval::Months),
        // More than parsing allows: zero, and millions of years.
        (any::<u32>(), 0..4_usize).prop_map(|(n, kind)| of_kind(n, kind)),
        (prop::sample::select(&[0, u32::MAX][..]), 0..4_usize)
            .prop_map(|(n, kind)| of_kind(n, kind)),
    ]
}

fn calendar() -> impl Strategy<Value = Calendar> {
    (
        interval(),
        prop::sample::select(all_zones()),
        prop::sample::select(&WEEKDAYS[..]),
    )
        .prop_map(|(interval, zone, week_start)| {
            Calendar::new(interval, &zone, week_start).expect("a zone")
        })
}

/// Any instant, with many near one of the ends of time or near a transition of the zone.
fn instant(zone: &str) -> impl Strategy<Value = Timestamp> + use<> {
    const NEAR: Range<i64> = 0..3 * MICROS_PER_DAY;
    let rules = TimeZone::get(zone).expect("a zone");
    let transition = (-5_000_000_000..8_000_000_000_i64, -NEAR.end..NEAR.end).prop_map(
        move |(seconds, near)| {
            let from = jiff::Timestamp::from_second(seconds).expect("in range");
            let at = rules
                .following(from)
                .next()
                .map_or(from, |transition| transition.timestamp());
            Timestamp::from_micros(at.as_microsecond()).plus_micros(near)
        },
    );
    prop_oneof![
        1 => any::<i64>().prop_map(Timestamp::from_micros),
        2 => NEAR.prop_map(|near| Timestamp::MIN.plus_micros(near)),
        2 => NEAR.prop_map(|near| LAST.plus_micros(-near)),
        4 => transition,
    ]
    .prop_map(|t| t.min(LAST))
}

fn calendar_and_instant() -> impl Strategy<Value = (Calendar, Timestamp)> {
    calendar().prop_flat_map(|calendar| {
        let instant = instant(calendar.zone_name());
        (Just(calendar), instant)
    })
}

/// Checks the bucket that contains `t`, and that both neighbours touch it.
fn check_bucket(calendar: &Calendar, t: Timestamp) -> TestCaseResult {
    let bucket = calendar.bucket(t);
    let (start, end) = (bucket.start(), bucket.end());
    prop_assert!(
        bucket.contains(t),
        "{:?} of {} is {:?}",
        calendar,
        t,
        bucket
    );
    prop_assert!(start < end);
    prop_assert_eq!(
        calendar.bucket(start),
        bucket,
        "{:?}: the bucket of its start",
        calendar
    );
    prop_assert_eq!(
        calendar.bucket(end.plus_micros(-1)),
        bucket,
        "{:?}: the bucket of its last instant",
        calendar
    );
    if end < Timestamp::MAX {
        prop_assert_eq!(
            calendar.bucket(end).start(),
            end,
            "{:?}: the next bucket starts at its end",
            calendar
        );
    }
    if start > Timestamp::MIN {
        let before = calendar.bucket(start.plus_micros(-1));
        prop_assert_eq!(
            before.end(),
            start,
            "{:?}: the bucket before ends at its start",
            calendar
        );
    }
    for t in [t, start] {
        prop_assert_eq!(
            Timestamp::parse_rfc3339(&calendar.label(t)),
            Ok(t),
            "{:?}",
            calendar
        );
    }
    Ok(())
}

/// Checks that a walk of at most `most` buckets advances bucket by bucket to the end of the range.
fn check_walk(calendar: &Calendar, range: &Range<Timestamp>, most: usize) -> TestCaseResult {
    let mut at = None;
    let mut buckets = 0;
    for bucket in calendar.buckets(range.clone()).take(most) {
        prop_assert!(bucket.start() < bucket.end());
        prop_assert!(
            at.is_none_or(|at| at == bucket.start()),
            "{:?}: {:?} after {:?}",
            calendar,
            bucket,
            at
        );
        at = Some(bucket.end());
        buckets += 1;
    }
    if buckets < most {
        prop_assert!(
            range.is_empty() || at >= Some(range.end),
            "{:?} ends at {:?}",
            calendar,
            at
        );
        prop_assert!(
            calendar.min_buckets(range) <= buckets,
            "{:?}: {} buckets in {:?}",
            calendar,
            buckets,
            range
        );
    }
    Ok(())
}

#[test]
fn every_zone_has_whole_buckets_at_both_ends_of_time() {
    let ends = [
        Timestamp::MIN..Timestamp::MIN.plus_days(3),
        Timestamp::MAX.plus_days(-3)..Timestamp::MAX,
        LAST..Timestamp::MAX,
        Timestamp::MAX..Timestamp::MAX,
    ];
    for zone in all_zones() {
        for interval in extreme_intervals() {
            let weeks = if matches!(interval, Interval::Weeks(_)) {
                &WEEKDAYS[..]
            } else {
                &WEEKDAYS[..1]
            };
            for &week_start in weeks {
                let calendar = Calendar::new(interval, &zone, week_start).expect("a zone");
                for t in [
                    Timestamp::MIN,
                    LAST,
                    Timestamp::MAX.plus_days(-1),
                    Timestamp::MAX.plus_micros(-93_600_000_000),
                ] {
                    check_bucket(&calendar, t).unwrap_or_else(|e| panic!("{e}"));
                }
                for range in &ends {
                    check_walk(&calendar, range, 100).unwrap_or_else(|e| panic!("{e}"));
                }
                assert_eq!(
                    calendar.bucket(Timestamp::MAX),
                    calendar.bucket(LAST),
                    "{calendar:?}"
                );
            }
        }
    }
}

#[test]
fn buckets_cover_time_without_overlap() {
    fuzz("buckets", calendar_and_instant(), |(calendar, t)| {
        check_bucket(&calendar, t)
    });
}

#[test]
fn walks_over_buckets_advance_and_end() {
    let length = prop_oneof![0..MICROS_PER_DAY, 0..400 * MICROS_PER_DAY, any::<i64>()];
    fuzz(
        "walks",
        (calendar_and_instant(), length),
        |((calendar, start), length)| {
            check_walk(&calendar, &(start..start.plus_micros(length)), 1_000)
        },
    );
}

#[test]
fn a_range_is_split_into_whole_days_and_the_rest() {
    let length = prop_oneof![9 => 0..400 * MICROS_PER_DAY, 1 => 0..10_000 * MICROS_PER_DAY];
    fuzz(
        "windows",
        (calendar_and_instant(), length),
        |((calendar, start), length)| {
            let range = start..start.plus_micros(length).min(LAST);
            let split = DaySplit::split(&calendar, &range);
            let days = |window: &DayWindow| window.days.start.start()..window.days.end.start();
            let mut parts: Vec<_> = split.windows.iter().map(days).chain(split.ranges).collect();
            parts.sort_by_key(|part| part.start);
            let mut at = range.start;
            for part in parts {
                prop_assert_eq!(part.start, at);
                prop_assert!(part.end > part.start);
                at = part.end;
            }
            prop_assert!(range.is_empty() || at == range.end);
            for window in split.windows.iter().take(100) {
                let bucket = calendar.bucket(window.bucket);
                prop_assert_eq!(bucket.start(), window.bucket);
                prop_assert!(days(window).end <= bucket.end());
            }
            Ok(())
        },
    );
}

#[test]
fn a_range_of_all_times_is_not_split_into_millions_of_days() {
    let all = Timestamp::MIN..Timestamp::MAX;
    let day = Calendar::new(Interval::Days(1), "UTC", Weekday::Monday).expect("a zone");
    assert_eq!(DaySplit::split(&day, &all), DaySplit::without_days(&all));
    let century = day.with_interval(Interval::Months(1_200));
    assert_eq!(
        DaySplit::split(&century, &all).windows.len(),
        101,
        "a small number of centuries"
    );
}

#[test]
fn a_date_is_the_first_instant_of_its_day_or_rejected() {
    let dates = prop_oneof![
        1 => ".*",
        4 => "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
        2 => "(0000|0001|9999)-(01-01|01-02|12-30|12-31)",
        1 => "[-+]?[0-9]{1,6}-[0-9]{1,2}-[0-9]{1,2}",
        1 => "(2011-12-30|2011-12-31|1994-12-31|1995-01-01|2022-03-27|1993-08-2[0-2])",
    ];
    fuzz(
        "dates",
        (dates, prop::sample::select(all_zones())),
        |(text, zone)| {
            let calendar =
                Calendar::new(Interval::Days(1), &zone, Weekday::Monday).expect("a zone");
            let Ok(start) = calendar.parse_date(&text) else {
                return Ok(());
            };
            prop_assert_eq!(text.len(), 10);
            prop_assert_eq!(calendar.bucket(start).start(), start, "{} {}", zone, text);
            if start > Timestamp::MIN {
                prop_assert!(
                    calendar.bucket(start.plus_micros(-1)).end() == start,
                    "{} {}",
                    zone,
                    text
                );
            }
            Ok(())
        },
    );
}

#[test]
fn a_date_out_of_range_is_rejected_and_not_clamped() {
    let day = |zone| Calendar::new(Interval::Days(1), zone, Weekday::Monday).expect("a zone");
    let starts = |zone, text| {
        day(zone)
            .parse_date(text)
            .map(|t| t.to_string())
            .map_err(|e| e.to_string())
    };
    assert_eq!(
        starts("UTC", "0001-01-01"),
        Ok("0001-01-01T00:00:00Z".to_owned())
    );
    assert_eq!(
        starts("Etc/GMT+5", "0001-01-01"),
        Ok("0001-01-01T05:00:00Z".to_owned())
    );
    assert_eq!(
        starts("Etc/GMT+12", "9999-12-31"),
        Ok("9999-12-31T12:00:00Z".to_owned())
    );
    assert_eq!(
        starts("America/New_York", "9999-12-31"),
        Ok("9999-12-31T05:00:00Z".to_owned())
    );
    assert_eq!(
        starts("Pacific/Kiritimati", "9999-12-31"),
        Ok("9999-12-30T10:00:00Z".to_owned())
    );
    let too_early = [
        ("Asia/Tokyo", "0001-01-01"),
        ("UTC", "0000-12-31"),
        ("UTC", "-000001-01-01"),
    ];
    for (zone, text) in too_early {
        let error = starts(zone, text).expect_err(text);
        assert!(error.contains("years 0001 to 9999"), "{zone}: {error}");
    }
    for text in [
        "10000-01-01",
        "2025-02-29",
        "2025-1-1",
        "",
        "99999999-01-01",
    ] {
        assert!(
            starts("UTC", text).is_err_and(|e| e.contains("not a date")),
            "{text}"
        );
    }
}

#[test]
fn the_last_year_of_eastern_zones_ends() {
    let at = |text| Timestamp::parse_rfc3339(text).expect(text);
    let year = Calendar::new(Interval::Months(12), "Asia/Tokyo", Weekday::Monday).expect("a zone");
    let range = at("2024-01-01T00:00:00Z")..at("9999-12-31T23:59:59Z");
    let last = year.buckets(range.clone()).last().expect("a bucket");
    assert_eq!(
        year.buckets(range).count(),
        7_977,
        "local years 2024 to 10000"
    );
    assert_eq!(
        (last.start(), last.end()),
        (at("9999-12-31T15:00:00Z"), Timestamp::MAX)
    );
    assert_eq!(
        year.label(at("9999-12-31T14:59:59Z")),
        "9999-12-31T23:59:59+09:00"
    );
    assert_eq!(
        year.label(last.start()),
        "9999-12-31T15:00:00Z",
        "RFC 3339 has no year 10000"
    );
}
