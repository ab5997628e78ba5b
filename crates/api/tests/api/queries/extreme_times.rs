//! Times at both ends of the calendar: every query returns or is rejected at once, in every zone.

use std::time::Duration;

use serde_json::json;
use time_series_testkit::{Backend, Response, TestApp};
use tokio::time::timeout;
use uuid::Uuid;

use crate::common::{
    SCORE, START, assert_problem, assert_rows, get_timeseries, results, score, store,
};
use crate::on_both_servers;
use crate::queries::support::{Pairs, at, get, metadata, points};

on_both_servers![
    eastern_zones_are_filled_until_the_end_of_time,
    every_zone_and_interval_works_at_both_ends_of_time,
    session_steps_succeed_for_every_range,
    raw_points_succeed_for_every_range,
    a_lookback_may_reach_before_the_first_instant,
    a_date_without_an_instant_is_rejected_by_name,
    results_do_not_depend_on_the_length_of_the_range,
];

/// Maximum rows; small enough that filled results are rejected quickly.
const FEW_ROWS: usize = 100;
const FIRST: &str = "0001-01-01T00:00:00Z";
const LAST: &str = "9999-12-31T23:59:59.999999Z";

/// Zones east and west, with and without daylight saving time, with the largest offsets from UTC.
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

/// Fails if no response arrives: a bound on liveness, not on time.
async fn with_timeout(response: impl Future<Output = Response>) -> Response {
    timeout(Duration::from_mins(2), response)
        .await
        .expect("a response")
}

/// Starts a service whose responses have at most `rows` rows, and stores one point of a user.
async fn with_one_point(backend: Backend, rows: usize) -> (TestApp, Uuid) {
    let app = TestApp::with(backend).max_rows(rows).start().await;
    app.seed().await;
    let user = Uuid::new_v4();
    let _ = store(&app, user, START, &[score(START, 1.0)]).await;
    (app, user)
}

/// Checks that a query succeeds, or is rejected as invalid or as too large.
#[track_caller]
fn assert_accepted_or_rejected(response: &Response, parameters: &Pairs<'_>) {
    match response.status.as_u16() {
        200 => {}
        422 => {
            assert!(
                ["invalid_parameters", "too_many_rows"].contains(&&*response.code()),
                "{parameters:?}: {}",
                response.text
            );
        }
        other => panic!("{parameters:?}: {other} {}", response.text),
    }
}

async fn eastern_zones_are_filled_until_the_end_of_time(backend: Backend) {
    let (app, user) = with_one_point(backend, 10_000).await;
    let parameters = |tz, interval| {
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
        // The start of the year 10000 in Tokyo.
        ("Asia/Tokyo", 7_977, "9999-12-31T15:00:00Z"),
        ("Pacific/Kiritimati", 7_977, "9999-12-31T10:00:00Z"),
    ] {
        let response = with_timeout(get_timeseries(&app, user, &parameters(tz, "year")))
            .await
            .expect(200);
        let rows = results(&response);
        assert_eq!(metadata(&response)["count"], years, "{tz}");
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
    let months = with_timeout(get_timeseries(
        &app,
        user,
        &parameters("Europe/Athens", "month"),
    ))
    .await;
    assert_problem(&months, 422, "too_many_rows");
}

async fn every_zone_and_interval_works_at_both_ends_of_time(backend: Backend) {
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
                    let parameters = [range.as_slice(), more].concat();
                    assert_accepted_or_rejected(
                        &with_timeout(get_timeseries(&app, user, &parameters)).await,
                        &parameters,
                    );
                }
            }
        }
    }
}

async fn session_steps_succeed_for_every_range(backend: Backend) {
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
                let parameters =
                    [range.as_slice(), &[("align", "session"), ("fill", fill)]].concat();
                assert_accepted_or_rejected(
                    &with_timeout(get_timeseries(&app, user, &parameters)).await,
                    &parameters,
                );
            }
        }
    }
}

async fn raw_points_succeed_for_every_range(backend: Backend) {
    let (app, user) = with_one_point(backend, FEW_ROWS).await;
    for (start, end) in RANGES {
        for more in [
            &[][..],
            &[("order", "desc")],
            &[("max_points", "10")],
            &[("format", "csv")],
        ] {
            let parameters = [[("start_time", start), ("end_time", end)].as_slice(), more].concat();
            let response = with_timeout(points(&app, user, &parameters))
                .await
                .expect(200);
            assert_eq!(
                response.text.contains(SCORE),
                start < "9",
                "{parameters:?}: {}",
                response.text
            );
        }
    }
}

async fn a_lookback_may_reach_before_the_first_instant(backend: Backend) {
    let (app, user) = with_one_point(backend, FEW_ROWS).await;
    let range = [
        ("start_time", FIRST),
        ("end_time", "0003-01-01"),
        ("interval", "year"),
    ];
    let parameters = [
        range.as_slice(),
        &[("fill", "previous"), ("fill_lookback", "10w")],
    ]
    .concat();
    assert_rows(
        &with_timeout(get_timeseries(&app, user, &parameters)).await,
        &[],
    );
    // The default start is a week before the end.
    assert_rows(
        &with_timeout(get_timeseries(&app, user, &[("end_time", "0001-01-02")])).await,
        &[],
    );
    assert_problem(
        &with_timeout(get_timeseries(&app, user, &[("end_time", "0001-01-01")])).await,
        422,
        "invalid_parameters",
    );
}

async fn a_date_without_an_instant_is_rejected_by_name(backend: Backend) {
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
        let response =
            with_timeout(get_timeseries(&app, user, &[(parameter, date), ("tz", tz)])).await;
        assert_problem(&response, 422, "invalid_parameters");
        let has_remedy = response.text.contains("; use a ") || response.text.contains("such as");
        assert!(
            response.text.contains(parameter) && has_remedy,
            "{}",
            response.text
        );
    }
    let id = store(&app, user, START, &[score(START, 1.0)]).await;
    for path in [
        format!("/api/points/?user_id={user}"),
        format!("/api/sessions/{id}/points/?user_id={user}"),
    ] {
        let response = with_timeout(app.get(&format!("{path}&start_time=0000-12-31"))).await;
        assert_problem(&response, 422, "invalid_parameters");
        assert!(response.text.contains("start_time"), "{}", response.text);
    }
}

async fn results_do_not_depend_on_the_length_of_the_range(backend: Backend) {
    let (app, user) = with_one_point(backend, FEW_ROWS).await;
    let path = "/api/timeseries/";
    let user = user.to_string();
    for tz in ZONES {
        for interval in ["hour", "day", "week", "month", "year"] {
            let parameters = |range: [(&'static str, &'static str); 2]| {
                [
                    [("user_id", &*user), ("tz", tz), ("interval", interval)].as_slice(),
                    &range,
                ]
                .concat()
            };
            let near = parameters([
                ("start_time", "2024-01-01T00:00:00Z"),
                ("end_time", "2026-01-01T00:00:00Z"),
            ]);
            let far = parameters([("start_time", FIRST), ("end_time", LAST)]);
            let near = results(&with_timeout(get(&app, path, &near)).await.expect(200));
            assert_eq!(
                results(&with_timeout(get(&app, path, &far)).await.expect(200)),
                near,
                "{tz} {interval}"
            );
            assert_eq!(near.len(), 1);
        }
    }
}
