//! Texts of instants, intervals, durations and weekdays.

use proptest::prelude::*;
use time_series_domain::query::{Lookback, Offsets};
use time_series_domain::{Interval, Timestamp, UtcDay, Weekday};

use crate::fuzz::harness::fuzz;

/// Any text, and many that are almost RFC 3339.
fn instants() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => ".*",
        4 => "[0-9]{4}-[0-1][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{0,12})?([Zz]|[+-][0-2][0-9]:[0-5][0-9])",
        2 => "(0000|0001|9999)-(01-01|12-31)T(00|23):(00|59):(00|59)(\\.[09]{1,7})?(Z|[+-](00|14|23):(00|59))",
        1 => "[-+0-9TZ:. é]{0,40}",
    ]
}

/// Any text, and many that are almost a number with a unit.
fn durations() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => ".*",
        4 => "[0-9]{0,11}(s|sec|second|m|min|M|h|H|hour|d|day|days|w|week|mo|month|q|quarter|y|year|all)",
        1 => "[0-9a-zA-Z ]{0,8}",
    ]
}

#[test]
fn instants_round_trip_through_text() {
    fuzz("instants", instants(), |text| {
        if let Ok(t) = Timestamp::parse_rfc3339(&text) {
            prop_assert!(Timestamp::MIN <= t && t <= Timestamp::MAX, "{}", text);
            prop_assert_eq!(Timestamp::parse_rfc3339(&t.to_string()), Ok(t), "{}", text);
        }
        Ok(())
    });
}

#[test]
fn every_instant_round_trips_through_text() {
    fuzz("printed instants", any::<i64>(), |micros| {
        let t = Timestamp::from_micros(micros);
        prop_assert_eq!(Timestamp::parse_rfc3339(&t.to_string()), Ok(t));
        prop_assert_eq!(Timestamp::from(t.to_offset_date_time()), t);
        let day = t.utc_day();
        prop_assert!(
            day.start() <= t && (t < day.next().start() || day.next().start() == Timestamp::MAX)
        );
        prop_assert!(UtcDay::ceil(t) == day || UtcDay::ceil(t) == day.next());
        Ok(())
    });
}

#[test]
fn moving_an_instant_stays_in_its_range() {
    fuzz("moved instants", any::<(i64, i64)>(), |(micros, by)| {
        let t = Timestamp::from_micros(micros);
        for moved in [t.plus_micros(by), t.plus_days(by)] {
            prop_assert!(Timestamp::MIN <= moved && moved <= Timestamp::MAX);
            prop_assert!((moved <= t || by > 0) && (moved >= t || by < 0));
        }
        Ok(())
    });
}

#[test]
fn intervals_round_trip_through_text() {
    fuzz("intervals", durations(), |text| {
        if let Ok(interval) = Interval::parse(&text) {
            prop_assert_eq!(
                Interval::parse(&interval.to_string()),
                Ok(interval),
                "{}",
                text
            );
        }
        Ok(())
    });
}

#[test]
fn lookbacks_round_trip_through_text() {
    fuzz(
        "lookbacks",
        (durations(), any::<i64>()),
        |(text, micros)| {
            if let Ok(lookback) = Lookback::parse(&text) {
                let t = Timestamp::from_micros(micros);
                let again = Lookback::parse(&lookback.to_string());
                prop_assert_eq!(again, Ok(lookback), "{}", text);
                prop_assert!(lookback.before(t) < t || t == Timestamp::MIN);
            }
            Ok(())
        },
    );
}

#[test]
fn weekdays_round_trip_through_text() {
    let names = prop_oneof![
        ".*",
        "[a-zA-Z]{3}",
        "(mon|Tues|wednes|thurs|FRI|satur|sun)(day)?"
    ];
    fuzz("weekdays", names, |text| {
        if let Some(day) = Weekday::parse(&text) {
            prop_assert_eq!(Weekday::parse(day.name()), Some(day));
        }
        Ok(())
    });
}

#[test]
fn session_steps_cover_all_offsets_without_overlap() {
    fuzz(
        "offsets",
        (prop_oneof![1..=86_400_u32, any::<u32>()], any::<i64>()),
        |(seconds, micros)| {
            let offsets =
                Offsets::new(Interval::Seconds(seconds)).expect("seconds are valid steps");
            let at = Timestamp::from_micros(micros).min(Timestamp::MAX.plus_micros(-1));
            let step = offsets.bucket(at);
            prop_assert!(step.contains(at) && step.start() < step.end());
            prop_assert_eq!(offsets.bucket(step.start()), step);
            if step.end() < Timestamp::MAX {
                prop_assert_eq!(offsets.bucket(step.end()).start(), step.end());
            }
            prop_assert!(Offsets::label(step.start()).contains("PT"));
            Ok(())
        },
    );
}
