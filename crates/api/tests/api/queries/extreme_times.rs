//! Times at both ends of the calendar: every query has an answer or a refusal, in every zone, at once.

use std::time::Duration;

use serde_json::json;
use time_series_testkit::{Answer, Backend, TestApp};
use tokio::time::timeout;
use uuid::Uuid;

use crate::common::{SCORE, START, ask, assert_problem, assert_rows, results, score, store};
use crate::on_both_servers;
use crate::queries::support::{Pairs, at, get, metadata, points};

on_both_servers![
    years_of_the_east_are_filled_until_the_end_of_time,
    every_zone_and_interval_answers_at_both_ends_of_time,
    session_steps_answer_for_any_range,
    raw_points_answer_for_any_range,
    a_lookback_ends_with_time_itself,
    a_date_without_an_instant_is_refused_by_name,
    an_answer_does_not_depend_on_how_far_the_range_reaches,
];

/// Few enough that filled answers are refused quickly.
const FEW_ROWS: usize = 100;
const FIRST: &str = "0001-01-01T00:00:00Z";
const LAST: &str = "9999-12-31T23:59:59.999999Z";

/// East and west, with and without daylight saving time, as far from UTC as zones are.
const ZONES: [&str; 5] = [
    "UTC",
    "Europe/Athens",
    "Pacific/Kiritimati",
    "America/New_York",
    "Etc/GMT+12",
];
const INTERVALS: [&str; 7] = ["1s", "24h", "day", "month", "year", "1000y", "all"];
const RANGES: [(&str, &str); 6] = [
    ("2024-01-01", "9999-12-31T23:59:59Z"),
    ("0001-01-01", "9999-12-31"),
    (FIRST, "2026-01-01"),
    (FIRST, LAST),
    ("9999-12-30T21:59:59Z", LAST),
    ("9999-12-31T23:59:59.999998Z", LAST),
];

/// Fails where there is no response: a limit on liveness, not on time.
async fn answered(asked: impl Future<Output = Answer>) -> Answer {
    timeout(Duration::from_mins(2), asked)
        .await
        .expect("a response")
}

/// A service whose answers have at most `rows` rows, and a user with one point.
async fn with_one_point(backend: Backend, rows: usize) -> (TestApp, Uuid) {
    let app = TestApp::with(backend).max_rows(rows).start().await;
    app.seed().await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 1.0)]).await;
    (app, user)
}

/// Checks that a query is answered, or refused as invalid or as too much.
#[track_caller]
fn assert_answered_or_refused(answer: &Answer, asked: &Pairs<'_>) {
    match answer.status.as_u16() {
        200 => {}
        422 => {
            assert!(
                ["invalid_parameters", "too_many_rows"].contains(&&*answer.code()),
                "{asked:?}: {}",
                answer.text
            );
        }
        other => panic!("{asked:?}: {other} {}", answer.text),
    }
}

async fn years_of_the_east_are_filled_until_the_end_of_time(backend: Backend) {
    let (app, user) = with_one_point(backend, 10_000).await;
    let asked = |tz, interval| {
        let range = [
            ("start_time", "2024-01-01"),
            ("end_time", "9999-12-31T23:59:59Z"),
            ("fill", "null"),
        ];
        [range.as_slice(), &[("tz", tz), ("interval", interval)]].concat()
    };
    for (tz, years, last) in [
        ("UTC", 7_976, "9999-01-01T00:00:00Z"),
        ("America/New_York", 7_976, "9999-01-01T00:00:00-05:00"),
        ("Asia/Tokyo", 7_977, "9999-12-31T15:00:00Z"), // the year 10000 of Tokyo, as RFC 3339 can write it
        ("Pacific/Kiritimati", 7_977, "9999-12-31T10:00:00Z"),
    ] {
        let answer = answered(ask(&app, user, &asked(tz, "year")))
            .await
            .expect(200);
        let rows = results(&answer);
        assert_eq!(metadata(&answer)["count"], years, "{tz}");
        assert_eq!(
            rows.last().map(|row| row["bucket"].clone()),
            Some(json!(last)),
            "{tz}"
        );
        assert_eq!(
            rows.iter().filter(|row| row["value"] == 1.0).count(),
            1,
            "{tz}"
        );
    }
    let months = answered(ask(&app, user, &asked("Europe/Athens", "month"))).await;
    assert_problem(&months, 422, "too_many_rows");
}

async fn every_zone_and_interval_answers_at_both_ends_of_time(backend: Backend) {
    let (app, user) = with_one_point(backend, FEW_ROWS).await;
    for tz in ZONES {
        for interval in INTERVALS {
            for (start, end) in RANGES {
                for more in [&[][..], &[("fill", "linear"), ("fill_lookback", "520w")]] {
                    let range = [
                        ("start_time", start),
                        ("end_time", end),
                        ("tz", tz),
                        ("interval", interval),
                    ];
                    let asked = [range.as_slice(), more].concat();
                    assert_answered_or_refused(&answered(ask(&app, user, &asked)).await, &asked);
                }
            }
        }
    }
}

async fn session_steps_answer_for_any_range(backend: Backend) {
    let (app, user) = with_one_point(backend, FEW_ROWS).await;
    let _ = store(
        &app,
        user,
        START,
        &[score(START, 1.0), score(&at(20 * 86_400), 2.0)],
    )
    .await;
    for (start, end) in RANGES {
        for interval in ["1s", "7m", "24h"] {
            for fill in ["none", "null", "previous"] {
                let range = [
                    ("start_time", start),
                    ("end_time", end),
                    ("interval", interval),
                ];
                let asked = [range.as_slice(), &[("align", "session"), ("fill", fill)]].concat();
                assert_answered_or_refused(&answered(ask(&app, user, &asked)).await, &asked);
            }
        }
    }
}

async fn raw_points_answer_for_any_range(backend: Backend) {
    let (app, user) = with_one_point(backend, FEW_ROWS).await;
    for (start, end) in RANGES {
        for more in [
            &[][..],
            &[("order", "desc")],
            &[("max_points", "10")],
            &[("format", "csv")],
        ] {
            let asked = [[("start_time", start), ("end_time", end)].as_slice(), more].concat();
            let answer = answered(points(&app, user, &asked)).await.expect(200);
            assert_eq!(
                answer.text.contains(SCORE),
                start < "9",
                "{asked:?}: {}",
                answer.text
            );
        }
    }
}

async fn a_lookback_ends_with_time_itself(backend: Backend) {
    let (app, user) = with_one_point(backend, FEW_ROWS).await;
    let range = [
        ("start_time", FIRST),
        ("end_time", "0003-01-01"),
        ("interval", "year"),
    ];
    let asked = [
        range.as_slice(),
        &[("fill", "previous"), ("fill_lookback", "10w")],
    ]
    .concat();
    assert_rows(&answered(ask(&app, user, &asked)).await, &[]);
    // The default start is a week before the end.
    assert_rows(
        &answered(ask(&app, user, &[("end_time", "0001-01-02")])).await,
        &[],
    );
    assert_problem(
        &answered(ask(&app, user, &[("end_time", "0001-01-01")])).await,
        422,
        "invalid_parameters",
    );
}

async fn a_date_without_an_instant_is_refused_by_name(backend: Backend) {
    let (app, user) = with_one_point(backend, FEW_ROWS).await;
    for (parameter, date, tz) in [
        ("start_time", "0001-01-01", "Asia/Tokyo"),
        ("start_time", "0000-12-31", "UTC"),
        ("end_time", "0000-06-01", "America/New_York"),
        ("end_time", "2025-02-29", "UTC"),
        ("start_time", "0000-12-31T23:59:59Z", "UTC"),
        ("end_time", "9999-12-31T23:59:59-00:01", "UTC"),
        ("end_time", "10000-01-01T00:00:00Z", "UTC"),
    ] {
        let answer = answered(ask(&app, user, &[(parameter, date), ("tz", tz)])).await;
        assert_problem(&answer, 422, "invalid_parameters");
        let has_remedy = answer.text.contains("; use a ") || answer.text.contains("such as");
        assert!(
            answer.text.contains(parameter) && has_remedy,
            "{}",
            answer.text
        );
    }
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    for path in [
        format!("/api/points/?user_id={user}"),
        format!("/api/sessions/{id}/points/?user_id={user}"),
    ] {
        let answer = answered(app.get(&format!("{path}&start_time=0000-12-31"))).await;
        assert_problem(&answer, 422, "invalid_parameters");
        assert!(answer.text.contains("start_time"), "{}", answer.text);
    }
}

async fn an_answer_does_not_depend_on_how_far_the_range_reaches(backend: Backend) {
    let (app, user) = with_one_point(backend, FEW_ROWS).await;
    let path = "/api/timeseries/";
    let user = user.to_string();
    for tz in ZONES {
        for interval in ["hour", "day", "week", "month", "year"] {
            let asked = |range: [(&'static str, &'static str); 2]| {
                [
                    [("user_id", &*user), ("tz", tz), ("interval", interval)].as_slice(),
                    &range,
                ]
                .concat()
            };
            let near = asked([
                ("start_time", "2024-01-01T00:00:00Z"),
                ("end_time", "2026-01-01T00:00:00Z"),
            ]);
            let far = asked([("start_time", FIRST), ("end_time", LAST)]);
            let near = results(&answered(get(&app, path, &near)).await.expect(200));
            assert_eq!(
                results(&answered(get(&app, path, &far)).await.expect(200)),
                near,
                "{tz} {interval}"
            );
            assert_eq!(near.len(), 1);
        }
    }
}
